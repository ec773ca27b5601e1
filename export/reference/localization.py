"""The localization network: one U-Net, two logits, a mask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from .architecture import LOCALIZATION
from .form import Form
from .unet import UNet


class Localization(tf.Module):
    """The network that finds the organs coarsely (paper, section 2.2).

    Args:
        weights: arrays by checkpoint name, complete and of the right shapes.
        form: layout and number format.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], form: Form) -> None:
        super().__init__()
        self.form = form
        count = len(LOCALIZATION.array_shapes())
        self.unet = UNet(LOCALIZATION, [weights[f"variables/{i}"] for i in range(count)], form)

    def logits(self, image: tf.Tensor, dropout: float = 0.0) -> tf.Tensor:
        """Two logits per voxel, background first, in float32; `image` has one channel."""
        return tf.cast(self.unet(image, dropout), tf.float32)

    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        """Boolean mask with one channel: true where logit 0 < logit 1."""
        logits = self.logits(image)
        if self.form.channels_first:
            return logits[:, :1] < logits[:, 1:]
        return logits[..., :1] < logits[..., 1:]

    def checkpoint(self) -> dict[str, tf.Variable]:
        """The variables by checkpoint name."""
        return {f"variables/{i}": variable for i, variable in enumerate(self.unet.arrays)}
