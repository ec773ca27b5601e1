"""Upsampling built of shifts, as the released graphs hold it.

Half-pixel: output o of an axis lies at (o + 0.5)/factor − 0.5 of the input. Each phase (o modulo factor) is a
fixed sum of shifted inputs, the edge repeated; the phases are stacked and reshaped, one axis after the other.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from .form import Form


def _linear(x: float) -> float:
    return max(0.0, 1.0 - abs(x))


def _cubic(x: float) -> float:
    """Keys' cubic convolution kernel with A = −0.5."""
    x = abs(x)
    if x < 1.0:
        return (1.5 * x - 2.5) * x * x + 1.0
    return ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0 if x < 2.0 else 0.0


def _taps(factor: int, support: int, kernel: Callable[[float], float]) -> list[dict[int, float]]:
    """Weight of the input at each offset, a phase; zero weights are left out."""
    phases = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]
    offsets = range(support, -support - 1, -1)
    return [{d: kernel(d - phase) for d in offsets if kernel(d - phase) != 0.0} for phase in phases]


LINEAR_TAPS = _taps(2, 1, _linear)
"""×2 linear: phases at ∓1/4 of an input voxel."""

CUBIC_TAPS = _taps(4, 2, _cubic)
"""×4 cubic: phases at −3/8, −1/8, 1/8 and 3/8 of an input voxel."""


def _shift(x: tf.Tensor, offset: int, axis: int) -> tf.Tensor:
    """Voxel i becomes voxel i + offset of `x` (at least |offset| long there), the edge repeated."""
    if offset == 0:
        return x
    cut = [slice(None)] * 5
    cut[axis] = slice(offset, None) if offset > 0 else slice(None, offset)
    edge = [slice(None)] * 5
    edge[axis] = slice(-1, None) if offset > 0 else slice(None, 1)
    repeated = tf.concat([x[tuple(edge)]] * abs(offset), axis)
    parts = [x[tuple(cut)], repeated] if offset > 0 else [repeated, x[tuple(cut)]]
    return tf.concat(parts, axis)


def _upsample_axis(x: tf.Tensor, taps: list[dict[int, float]], axis: int) -> tf.Tensor:
    offsets = sorted({offset for phase in taps for offset in phase})
    shifted = {offset: _shift(x, offset, axis) for offset in offsets}
    phases = []
    for phase in taps:
        weighted = [shifted[offset] * tf.constant(weight, x.dtype) for offset, weight in phase.items()]
        phases.append(tf.reduce_sum(tf.stack(weighted), axis=0))
    factors = [1] * 5
    factors[axis] = len(taps)
    return tf.reshape(tf.stack(phases, axis=axis + 1), tf.shape(x) * tf.constant(factors))


def _upsample(x: tf.Tensor, taps: list[dict[int, float]], form: Form) -> tf.Tensor:
    channels = x.shape[form.channel_axis]
    for axis in form.spatial_axes:
        x = _upsample_axis(x, taps, axis)
    # Reshaping to a computed size loses the channel count, which the next convolution asks for.
    x.set_shape(form.shape(channels))
    return x


def upsample_linear(x: tf.Tensor, form: Form) -> tf.Tensor:
    """Twice the size along z, y and x, linear, half-pixel, edge repeated."""
    return _upsample(x, LINEAR_TAPS, form)


def upsample_cubic(x: tf.Tensor, form: Form) -> tf.Tensor:
    """Four times the size along z, y and x (at least 2 voxels each), cubic with A = −0.5, half-pixel."""
    return _upsample(x, CUBIC_TAPS, form)
