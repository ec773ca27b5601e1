"""The networks as Keras 2 models, whose layers have the names that the released training code gives them.

So checkpoints and SavedModels of them have the keys of real ones. Channels last, float32.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras as keras
from tf_keras import layers

from efficientscn_trt.export.reference.architecture import (
    LEAKY_SLOPE,
    LOCALIZATION,
    SPATIAL_STRIDE,
    ScnArchitecture,
    UNetArchitecture,
)
from efficientscn_trt.export.reference.form import TRAINING
from efficientscn_trt.export.reference.upsample import upsample_linear

_DROPOUT = 0.1


def _convolution(filters: int, size: int, name: str, activation: Any = None) -> Any:
    return layers.Conv3D(
        filters, size, padding="same", name=name, bias_initializer="he_normal", activation=activation
    )


def _leaky_relu(inputs: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(inputs, LEAKY_SLOPE)


class Chain(layers.Layer):
    """Layers one after the other."""

    def __init__(self, parts: list[Any], name: str | None = None) -> None:
        super().__init__(name=name)
        self.layers = parts

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs


class UNetLayer(layers.Layer):
    """The blocks of a U-Net, without its last layer."""

    def __init__(self, architecture: UNetArchitecture, name: str | None = None) -> None:
        super().__init__(name=name)
        self.num_levels = architecture.levels
        self.contracting_layers: dict[str, Any] = {}
        self.expanding_layers: dict[str, Any] = {}
        for level in range(self.num_levels):
            for side in ("contracting", "expanding"):
                parts: list[Any] = []
                for number in range(2):
                    convolution = _convolution(architecture.filters, 3, f"conv{number}", _leaky_relu)
                    parts += [convolution, layers.Dropout(_DROPOUT)]
                getattr(self, f"{side}_layers")[f"level{level}"] = Chain(parts, f"{side}{level}")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        node, skips = inputs, []
        for level in range(self.num_levels):
            if level > 0:
                node = tf.nn.avg_pool3d(node, 2, 2, "VALID")
            node = self.contracting_layers[f"level{level}"](node)
            skips.append(node)
        for level in reversed(range(self.num_levels)):
            if level < self.num_levels - 1:
                node = tf.concat([skips[level], upsample_linear(node, TRAINING)], -1)
            node = self.expanding_layers[f"level{level}"](node)
        return node


class LocalizationModel(keras.Model):
    """Two logits."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNetLayer(LOCALIZATION)
        self.prediction = Chain([_convolution(2, 1, "prediction"), layers.Activation(None, dtype="float32")])

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.prediction(self.unet(inputs))


class LocalAppearanceModel(keras.Model):
    """The local logits."""

    def __init__(self, scn: ScnArchitecture) -> None:
        super().__init__()
        self.unet = UNetLayer(scn.local, "unet")
        self.prediction = _convolution(scn.labels, 1, "prediction")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.prediction(self.unet(inputs))


class SpatialConfigurationModel(keras.Model):
    """The spatial logits at the size of the pooled image, before they are upsampled."""

    def __init__(self, scn: ScnArchitecture) -> None:
        super().__init__()
        self._scn = scn
        self.unets = [
            Chain([UNetLayer(scn.spatial(label), f"unet_l{index}"), _convolution(1, 1, f"l{index}")])
            for index, label in enumerate(scn.order)
        ]

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        image, local = (tf.nn.avg_pool3d(each, SPATIAL_STRIDE, SPATIAL_STRIDE, "VALID") for each in inputs)
        logits: dict[int, tf.Tensor] = {}
        for label, unet in zip(self._scn.order, self.unets, strict=True):
            seen = [local[..., other : other + 1] for other in self._scn.others(label)]
            logits[label] = unet(tf.concat([image, *seen], -1))
        return tf.concat([logits[label] for label in range(self._scn.labels)], -1)
