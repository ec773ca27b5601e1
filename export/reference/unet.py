"""The U-Net that serves as localization network, local network and spatial network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from .architecture import UNetArchitecture
from .form import Form
from .layers import activate, average_pool, convolve
from .upsample import upsample_linear


class UNet(tf.Module):
    """A U-Net of the given architecture, its arrays in checkpoint order (paper, section 4.2).

    Attributes:
        arrays: float32 variables, kernels as (z, y, x, in, out), in the order of
            `UNetArchitecture.array_shapes`.
    """

    def __init__(self, architecture: UNetArchitecture, arrays: Sequence[np.ndarray], form: Form) -> None:
        super().__init__()
        self.architecture = architecture
        self.form = form
        self.arrays = [tf.Variable(array, dtype=tf.float32) for array in arrays]

    def __call__(self, x: tf.Tensor, dropout: float = 0.0) -> tf.Tensor:
        """Logits of `x` in the same layout; sizes are multiples of 2^(levels − 1).

        A `dropout` above zero is for training: that share of activations is dropped after each convolution.
        """
        levels = self.architecture.levels
        skips: list[tf.Tensor] = []
        for level in range(levels):
            if level > 0:
                x = average_pool(x, 2, self.form)
            x = self._block(x, level, dropout)
            skips.append(x)
        x = self._block(x, 2 * levels - 1, dropout)
        for level in reversed(range(levels - 1)):
            x = tf.concat([skips[level], upsample_linear(x, self.form)], self.form.channel_axis)
            x = self._block(x, levels + level, dropout)
        return convolve(x, self.arrays[-2], self.arrays[-1], self.form)

    def _block(self, x: tf.Tensor, block: int, dropout: float) -> tf.Tensor:
        kernel0, bias0, kernel1, bias1 = self.arrays[4 * block : 4 * block + 4]
        for kernel, bias in ((kernel0, bias0), (kernel1, bias1)):
            x = activate(convolve(x, kernel, bias, self.form), self.architecture.slope)
            # Keras' dropout layers leave an Identity in a released graph.
            x = tf.nn.dropout(x, dropout) if dropout > 0.0 else tf.identity(x)
        return x
