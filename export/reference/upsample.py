"""Upsampling inside the networks: half-pixel, with the edge repeated."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from .architecture import SPATIAL_STRIDE
from .form import Form
from .shifts import upsample_by_shifts
from .taps import LINEAR_TAPS, cubic_taps

_PRODUCTS = ("az,nzyxc->nayxc", "ay,nzyxc->nzaxc", "ax,nzyxc->nzyac")


def _matrix(taps: list[dict[int, float]], size: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """The matrix [factor·size, size] that upsamples an axis of `size` voxels."""
    offsets = sorted({offset for phase in taps for offset in phase})
    weights = np.array([[phase.get(offset, 0.0) for offset in offsets] for phase in taps])
    inputs = tf.clip_by_value(tf.range(size)[:, None] + tf.constant(offsets), 0, size - 1)
    matrix = tf.einsum("po,ioj->ipj", tf.constant(weights, dtype), tf.one_hot(inputs, size, dtype=dtype))
    return tf.reshape(matrix, [-1, size])


def _upsample(x: tf.Tensor, taps: list[dict[int, float]], form: Form) -> tf.Tensor:
    channels = x.shape[form.channel_axis]
    # A released graph contains shifts. For training, one matrix per axis has far fewer operators
    # to trace and differentiate.
    if form.channels_first:
        for axis in form.spatial_axes:
            x = upsample_by_shifts(x, taps, axis)
    else:
        for axis, product in zip(form.spatial_axes, _PRODUCTS, strict=True):
            x = tf.einsum(product, _matrix(taps, tf.shape(x)[axis], x.dtype), x)
    # The computed shape loses the number of channels, which the next convolution needs.
    x.set_shape(form.shape(channels))
    return x


def upsample_linear(x: tf.Tensor, form: Form) -> tf.Tensor:
    """Twice the size along z, y and x, linear."""
    return _upsample(x, LINEAR_TAPS, form)


def upsample_cubic(x: tf.Tensor, form: Form, factor: int = SPATIAL_STRIDE) -> tf.Tensor:
    """`factor` times the size along z, y and x (at least 2 voxels each), cubic with A = −0.5."""
    return _upsample(x, cubic_taps(factor), form)
