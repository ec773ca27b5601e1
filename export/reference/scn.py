"""The segmentation network: Spatial Configuration-Net with one spatial U-Net per label."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .architecture import ScnArchitecture, released_form
from .form import Form
from .layers import average_pool
from .unet import UNet
from .upsample import upsample_cubic


class ScnOutput(NamedTuple):
    """The network's outputs; each has one channel per label, in the layout of the image."""

    probabilities: tf.Tensor
    local_logits: tf.Tensor
    spatial_logits: tf.Tensor


class Scn(tf.Module):
    """Local network, spatial networks and their combination.

    Source: the paper, section 2.2, and docs/reference-pipeline.md.

    Args:
        weights: arrays by checkpoint name, complete and of the right shapes.
        form: layout and number format.
        architecture: by default the released one, with as many labels as there are local logits.
    """

    def __init__(
        self, weights: Mapping[str, np.ndarray], form: Form, architecture: ScnArchitecture | None = None
    ) -> None:
        super().__init__()
        self.form = form
        self.architecture = architecture or released_form(weights)
        local = self.architecture.local
        count = len(local.array_shapes())
        self.local = UNet(local, [weights[f"local_appearance/variables/{i}"] for i in range(count)], form)
        self.spatial: list[UNet] = []
        first = 0
        for label in self.architecture.order:
            spatial = self.architecture.spatial(label)
            last = first + len(spatial.array_shapes())
            arrays = [weights[f"spatial_configuration/variables/{i}"] for i in range(first, last)]
            self.spatial.append(UNet(spatial, arrays, form))
            first = last

    def __call__(self, image: tf.Tensor, dropout: float = 0.0) -> ScnOutput:
        """Probabilities and both logits of an image with one channel; sizes are multiples of 32."""
        local_logits = self.local(image, dropout)
        spatial_logits = self._spatial_logits(image, self._predicted(local_logits), dropout)
        return ScnOutput(self._combine(local_logits, spatial_logits), local_logits, spatial_logits)

    def _predicted(self, logits: tf.Tensor) -> tf.Tensor:
        """The local predictions, as the spatial networks see them."""
        if self.architecture.softmax:
            return tf.nn.softmax(logits, axis=self.form.channel_axis)
        return tf.sigmoid(logits)

    def _spatial_logits(self, image: tf.Tensor, local: tf.Tensor, dropout: float) -> tf.Tensor:
        axis, scn = self.form.channel_axis, self.architecture
        pooled = tf.identity(average_pool(local, scn.stride, self.form))  # see `UNet._block`
        local_of = dict(zip(scn.channels, tf.unstack(pooled, num=len(scn.channels), axis=axis), strict=True))
        always = []
        if scn.sees_image:
            always = tf.unstack(average_pool(image, scn.stride, self.form), num=1, axis=axis)
        logits: dict[int, tf.Tensor] = {}
        for label, unet in zip(scn.order, self.spatial, strict=True):
            seen = tf.stack([*always, *(local_of[other] for other in scn.others(label))], axis=axis)
            logits[label] = unet(seen, dropout)
        joined = tf.concat([logits[label] for label in scn.channels], axis)
        return upsample_cubic(joined, self.form, scn.stride)

    def _combine(self, local_logits: tf.Tensor, spatial_logits: tf.Tensor) -> tf.Tensor:
        """p = l·h + s·(1 − h), normalised over the labels, where h is the binary entropy of s in bits.

        Uses the operators of the released graph: the cross-entropy of s with itself contains Log1p, h is
        1 − (1 − h) to the power 1, and s is computed twice.
        """
        local, spatial = tf.sigmoid(local_logits), tf.sigmoid(spatial_logits)
        entropy = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.sigmoid(spatial_logits), logits=spatial_logits
        )
        share = 1.0 - tf.pow(1.0 - entropy / math.log(2.0), 1.0)
        combined = local * share + spatial * (1.0 - share)
        # A released graph drops the axis, so it runs only one image at a time.
        kept = not self.form.channels_first
        total = tf.reduce_sum(combined, axis=self.form.channel_axis, keepdims=kept)
        return combined / (total + 1e-5)

    def checkpoint(self) -> dict[str, tf.Variable]:
        """The variables by checkpoint name."""
        named = {f"local_appearance/variables/{i}": v for i, v in enumerate(self.local.arrays)}
        spatial = [variable for unet in self.spatial for variable in unet.arrays]
        return named | {f"spatial_configuration/variables/{i}": v for i, v in enumerate(spatial)}
