"""Upsampling built of shifts, as in the released graphs."""

from __future__ import annotations

import tensorflow as tf


def _shift(x: tf.Tensor, offset: int, axis: int) -> tf.Tensor:
    """Shift `x` along `axis`: voxel i of the result is voxel i + offset of `x`, with the edge repeated.

    `x` has at least |offset| voxels along `axis`.
    """
    if offset == 0:
        return x
    cut = [slice(None)] * 5
    cut[axis] = slice(offset, None) if offset > 0 else slice(None, offset)
    edge = [slice(None)] * 5
    edge[axis] = slice(-1, None) if offset > 0 else slice(None, 1)
    repeated = tf.concat([x[tuple(edge)]] * abs(offset), axis)
    parts = [x[tuple(cut)], repeated] if offset > 0 else [repeated, x[tuple(cut)]]
    return tf.concat(parts, axis)


def upsample_by_shifts(x: tf.Tensor, taps: list[dict[int, float]], axis: int) -> tf.Tensor:
    """Upsample one axis: each phase is a sum of weighted shifts; the phases are stacked and reshaped."""
    offsets = sorted({offset for phase in taps for offset in phase})
    shifted = {offset: _shift(x, offset, axis) for offset in offsets}
    phases = []
    for phase in taps:
        weighted = [shifted[offset] * tf.constant(weight, x.dtype) for offset, weight in phase.items()]
        phases.append(tf.reduce_sum(tf.stack(weighted), axis=0))
    factors = [1] * 5
    factors[axis] = len(taps)
    return tf.reshape(tf.stack(phases, axis=axis + 1), tf.shape(x) * tf.constant(factors))
