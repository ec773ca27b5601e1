"""Upsampling in both of its forms, against an independent reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from efficientscn_trt.export.reference.form import TRAINING, Form  # noqa: E402
from efficientscn_trt.export.reference.upsample import upsample_cubic, upsample_linear  # noqa: E402

SHIFTS = Form(channels_first=True, dtype=tf.float32)


def interpolate_axis(
    x: np.ndarray, axis: int, factor: int, weight: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Sum over far more neighbours than the kernel reaches, indices clamped to the edge."""
    size = x.shape[axis]
    position = (np.arange(factor * size) + 0.5) / factor - 0.5
    neighbours = np.arange(-4, size + 4)
    matrix = weight(np.abs(position[:, None] - neighbours))
    repeated = np.take(x, np.clip(neighbours, 0, size - 1), axis)
    return np.moveaxis(np.tensordot(matrix, repeated, (1, axis)), 0, axis)


def linear(distance: np.ndarray) -> np.ndarray:
    return np.clip(1 - distance, 0, None)


def cubic(distance: np.ndarray, a: float = -0.5) -> np.ndarray:
    """Keys, 1981, equation for a general A."""
    near = (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    far = a * distance**3 - 5 * a * distance**2 + 8 * a * distance - 4 * a
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


@pytest.mark.parametrize("form", [SHIFTS, TRAINING], ids=["shifts", "matrices"])
@pytest.mark.parametrize(
    ("upsample", "factor", "kernel"), [(upsample_linear, 2, linear), (upsample_cubic, 4, cubic)]
)
def test_against_numpy(form: Form, upsample: Callable, factor: int, kernel: Callable) -> None:
    x = np.random.default_rng(0).standard_normal((1, 2, 3, 4, 5))
    expected = x
    for axis in (2, 3, 4):
        expected = interpolate_axis(expected, axis, factor, kernel)
    if form.channels_first:
        found = upsample(tf.constant(x, tf.float32), form).numpy()
    else:
        found = np.moveaxis(upsample(tf.constant(np.moveaxis(x, 1, 4), tf.float32), form).numpy(), 4, 1)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("form", [SHIFTS, TRAINING], ids=["shifts", "matrices"])
def test_linear_of_one_voxel(form: Form) -> None:
    """The deepest level of a spatial network has one voxel where the input has 32."""
    found = upsample_linear(tf.fill([1, 1, 1, 1, 1], 3.0), form).numpy()
    np.testing.assert_allclose(found.ravel(), np.full(8, 3.0))
