"""NSD against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from efficientscn_trt.evaluation import normalized_surface_distance
from efficientscn_trt.triples import Triple


def _sphere(shape: tuple[int, int, int], spacing: Triple, centre: Triple, radius: float) -> np.ndarray:
    """Mask [z, y, x] of a sphere; `centre` in mm from the middle of the grid."""
    squared = np.zeros(shape)
    for axis, (n, step, middle) in enumerate(zip(shape, spacing, centre, strict=True)):
        offset = (np.arange(n) - (n - 1) / 2) * step - middle
        squared = squared + np.expand_dims(offset**2, tuple({0, 1, 2} - {axis}))
    return squared <= radius**2


def _analytic(radius: float, offset: float, tolerance: float) -> float:
    """NSD of two spheres of one radius, their centres `offset` apart.

    A point of one sphere, at the angle a from the line of centres, is √(R² + d² − 2Rd·cos a) from the other's
    centre. Over the sphere, cos a is distributed uniformly.
    """
    low, high = (
        (radius**2 + offset**2 - (radius + sign * tolerance) ** 2) / (2 * radius * offset) for sign in (1, -1)
    )
    return (min(high, 1) - max(low, -1)) / 2


def _two_spheres(spacing: Triple, radius: float, offset: float, tolerance: float) -> float:
    """NSD of two spheres as computed on a grid of `spacing`."""
    z, y, x = (int(2 * (radius + offset / 2 + 0.5) / step) for step in spacing)
    one = _sphere((z, y, x), spacing, (offset / 6, offset / 3, offset / 3), radius)
    return normalized_surface_distance(one, one[::-1, ::-1, ::-1], spacing, tolerance)


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (0.125, 0.125, 0.125), (0.25, 0.1, 0.2)])
@pytest.mark.parametrize(("radius", "offset", "tolerance"), [(6, 2, 1), (5, 1.25, 1), (5, 3, 1.5)])
def test_two_spheres(spacing: Triple, radius: float, offset: float, tolerance: float) -> None:
    voxel = max(spacing)  # surface elements are on the grid, so distances are exact to one voxel
    low, high = (_analytic(radius, offset, tolerance + error) for error in (-voxel, voxel))
    assert low < _two_spheres(spacing, radius, offset, tolerance) < high


def test_two_spheres_on_a_fine_grid() -> None:
    found = _two_spheres((0.0625, 0.0625, 0.0625), 4, 3, 1)
    assert found == pytest.approx(_analytic(4, 3, 1), abs=0.015)


@pytest.mark.parametrize(("smaller", "expected"), [(0.0, 1.0), (0.7, 1.0), (1.4, 0.0)])
def test_concentric_spheres(smaller: float, expected: float) -> None:
    spacing = (0.2, 0.2, 0.2)
    outer, inner = (_sphere((64, 64, 64), spacing, (0, 0, 0), radius) for radius in (6.0, 6.0 - smaller))
    assert normalized_surface_distance(inner, outer, spacing) == expected


def test_plates_count_by_area() -> None:
    """One of the reference's two plates is missing: of three equal surfaces two agree."""
    reference = np.zeros((12, 40, 40), bool)
    reference[2, 4:36, 4:36] = reference[9, 4:36, 4:36] = True
    prediction = np.zeros_like(reference)
    prediction[2, 4:36, 4:36] = True
    spacing = (2.0, 1.0, 1.0)
    assert normalized_surface_distance(prediction, reference, spacing) == pytest.approx(2 / 3)


def test_tolerance_counts_in_mm_along_each_axis() -> None:
    one = np.zeros((20, 20, 20), bool)
    one[5:15, 5:15, 5:15] = True
    spacing = (0.7, 1.3, 2.0)
    for axis, step in enumerate(spacing):
        moved = np.roll(one, 1, axis)
        assert normalized_surface_distance(one, moved, spacing, step) == 1
        assert normalized_surface_distance(one, moved, spacing, 0.99 * step) < 1


def test_symmetric_and_at_the_edge_of_the_image() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 9, 8, 7)) < 0.5
    one[0] = other[:, -1] = True
    spacing = (2.5, 0.8, 0.8)
    forth, back = (normalized_surface_distance(*pair, spacing) for pair in ((one, other), (other, one)))
    assert forth == pytest.approx(back)
    assert normalized_surface_distance(one, one, spacing) == 1


def test_absent_labels() -> None:
    nothing, something = np.zeros((4, 4, 4), bool), np.ones((4, 4, 4), bool)
    assert normalized_surface_distance(nothing, nothing, (1, 1, 1)) == 1
    assert normalized_surface_distance(something, nothing, (1, 1, 1)) == 0
    assert normalized_surface_distance(nothing, something, (1, 1, 1)) == 0
