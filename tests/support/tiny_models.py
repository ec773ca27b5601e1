"""SavedModels with all that a released graph has, but few channels and levels, so they convert quickly."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from efficientscn_trt.export.reference.form import RELEASED
from efficientscn_trt.export.reference.layers import activate, average_pool, convolve
from efficientscn_trt.export.reference.upsample import upsample_cubic, upsample_linear

LABELS = 5
SLOPE = 0.1
IMAGE = tf.TensorSpec([None, 1, None, None, None], tf.float16, name="image")


class Weights(tf.Module):
    """Seeded float32 kernels and biases, made on request."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = np.random.default_rng(seed)
        self.arrays: list[tf.Variable] = []

    def layer(self, size: int, inputs: int, outputs: int) -> tuple[tf.Variable, tf.Variable]:
        """Kernel [size, size, size, inputs, outputs] and bias."""
        shape = (size, size, size, inputs, outputs)
        kernel = self._generator.standard_normal(shape) * math.sqrt(2 / (size**3 * inputs))
        bias = self._generator.standard_normal(outputs)
        pair = tf.Variable(kernel, dtype=tf.float32), tf.Variable(0.1 * bias, dtype=tf.float32)
        self.arrays += pair
        return pair


class TinyUNet(tf.Module):
    """Two levels of one convolution each."""

    def __init__(self, weights: Weights, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        self.contract = weights.layer(3, inputs, width)
        self.bottom = weights.layer(3, width, width)
        self.expand = weights.layer(3, 2 * width, width)
        self.predict = weights.layer(1, width, outputs)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        skip = activate(convolve(x, *self.contract, RELEASED), SLOPE)
        low = activate(convolve(average_pool(skip, 2, RELEASED), *self.bottom, RELEASED), SLOPE)
        joined = tf.concat([skip, upsample_linear(low, RELEASED)], 1)
        wide = activate(convolve(joined, *self.expand, RELEASED), SLOPE)
        return convolve(wide, *self.predict, RELEASED)


class TinyLocalization(tf.Module):
    """A U-Net with two logits, which are compared."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.weights = Weights(seed)
        self.unet = TinyUNet(self.weights, 1, 4, 2)

    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        logits = tf.cast(self.unet(image), tf.float32)
        return logits[:, :1] < logits[:, 1:]


class TinyScn(tf.Module):
    """One local network, one spatial network for two labels, and the released combination."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        self.weights = Weights(seed)
        self.local = TinyUNet(self.weights, 1, 4, LABELS)
        self.spatial = [TinyUNet(self.weights, 3, 4, count) for count in (2, 3)]

    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        local_logits = self.local(image)
        local = tf.sigmoid(local_logits)
        parts = tf.unstack(average_pool(local, 4, RELEASED), num=LABELS, axis=1)
        small = average_pool(image, 4, RELEASED)
        stacked = [tf.stack(parts[first : first + 2], axis=1) for first in (1, 3)]
        pairs = zip(self.spatial, stacked, strict=True)
        low = [unet(tf.concat([small, others], 1)) for unet, others in pairs]
        spatial_logits = upsample_cubic(tf.concat(low, 1), RELEASED)
        spatial = tf.sigmoid(spatial_logits)
        entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=spatial, logits=spatial_logits)
        share = tf.pow(entropy / math.log(2.0), 1.0)
        combined = local * share + spatial * (1.0 - share)
        return combined / (tf.expand_dims(tf.reduce_sum(combined, axis=1), 1) + 1e-5)


def save(folder: Path, module: tf.Module, signature: tf.TensorSpec = IMAGE, **signatures: Any) -> Path:
    """Write the module's call, or the functions `signatures`, as a SavedModel."""
    functions: dict[str, Callable[..., Any]] = signatures or {"serving_default": module}
    concrete = {
        name: tf.function(function, input_signature=[signature]).get_concrete_function()
        for name, function in functions.items()
    }
    tf.saved_model.save(module, str(folder), signatures=concrete)
    return folder
