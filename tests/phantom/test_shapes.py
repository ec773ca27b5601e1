"""Distances of the implicit shapes against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficientscn_trt.phantom.shapes import Difference, Ellipsoid, Shape, Tube, Union, smooth_minimum

coordinate = st.floats(-100, 100, width=32)


def distance(shape: Shape, *point: float) -> float:
    x, y, z = (np.array([value], np.float32) for value in point)
    return float(shape.distance(x, y, z)[0])


@given(coordinate, coordinate, coordinate)
def test_a_sphere_gives_the_distance(x: float, y: float, z: float) -> None:
    if np.linalg.norm([x, y, z]) > 1:  # it divides by the gradient, which vanishes in the middle
        expected = np.linalg.norm([x, y, z]) - 20
        assert distance(Ellipsoid((0, 0, 0), (20, 20, 20)), x, y, z) == pytest.approx(expected, abs=1e-3)


def test_an_ellipsoid_is_zero_on_its_turned_surface() -> None:
    # A quarter turn about z brings the long axis from x to y.
    shape = Ellipsoid((1, 2, 3), (30, 10, 5), (0, 0, np.pi / 2))
    for point in ((1, 32, 3), (11, 2, 3), (1, 2, -2)):
        assert distance(shape, *point) == pytest.approx(0, abs=1e-3)
    low, high = shape.bounds
    assert low == pytest.approx((-9, -28, -2)) and high == pytest.approx((11, 32, 8))


def test_a_tube_tapers_along_its_axis() -> None:
    shape = Tube(((0, 0, 0), (100, 0, 0)), (10, 20))
    assert distance(shape, 0, 25, 0) == pytest.approx(15)
    assert distance(shape, 50, 25, 0) == pytest.approx(10)
    assert distance(shape, 130, 0, 0) == pytest.approx(10)


@given(coordinate, coordinate)
def test_smooth_minimum_is_the_minimum_away_from_the_seam(a: float, b: float) -> None:
    result = float(smooth_minimum(np.array([a], np.float32), np.array([b], np.float32), 8.0)[0])
    least = min(np.float32(a), np.float32(b))
    assert least - 2.0 - 1e-4 <= result <= least
    if abs(a - b) > 8:
        assert result == least


def test_union_and_difference_combine_inside_and_outside() -> None:
    left, right = Ellipsoid((-30, 0, 0), (20, 20, 20)), Ellipsoid((30, 0, 0), (20, 20, 20))
    both = Union((left, right), 5.0)
    assert distance(both, -30, 1, 0) < 0 and distance(both, 30, 1, 0) < 0 < distance(both, 0, 0, 0)
    bitten = Difference(left, (Ellipsoid((-15, 0, 0), (8, 8, 8)),), 2.0)
    assert distance(bitten, -15, 1, 0) > 0 > distance(bitten, -40, 0, 0)
