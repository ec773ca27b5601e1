"""Convolution and pooling, in either form."""

from __future__ import annotations

import tensorflow as tf

from .form import Form


def convolve(x: tf.Tensor, kernel: tf.Variable, bias: tf.Variable, form: Form) -> tf.Tensor:
    """Linear convolution, zero-padded to the size of `x`; `kernel` is (z, y, x, in, out)."""
    layout = "NCDHW" if form.channels_first else "NDHWC"
    y = tf.nn.conv3d(x, form.cast(kernel), strides=[1] * 5, padding="SAME", data_format=layout)
    return tf.nn.bias_add(y, form.cast(bias), data_format=layout)


def activate(x: tf.Tensor, slope: float) -> tf.Tensor:
    """LeakyReLU of this slope; ReLU for 0."""
    return tf.nn.leaky_relu(x, alpha=slope) if slope else tf.nn.relu(x)


def average_pool(x: tf.Tensor, stride: int, form: Form) -> tf.Tensor:
    """Mean over blocks of stride³ voxels.

    The channels-first form transposes, pools channels last, and transposes back, as the released graph does.
    """
    if form.channels_first:
        x = tf.transpose(x, [0, 2, 3, 4, 1])
    x = tf.nn.avg_pool3d(x, ksize=stride, strides=stride, padding="VALID")
    return tf.transpose(x, [0, 4, 1, 2, 3]) if form.channels_first else x
