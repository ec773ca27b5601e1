"""The random fields are splines: smooth, and the same body point has the same value on every grid."""

from __future__ import annotations

import numpy as np

from efficientscn_trt.phantom.fields import EXTENT_MM, SplineField


def field() -> SplineField:
    return SplineField(np.random.default_rng(0), components=2, pitch=40.0, amplitude=3.0)


def test_splines_of_equal_coefficients_are_constant() -> None:
    constant = field()
    constant.coefficients = np.full_like(constant.coefficients, 2.5)
    axis = np.linspace(-EXTENT_MM, EXTENT_MM, 9)
    np.testing.assert_allclose(constant.sample(axis, axis, axis), 2.5, rtol=1e-6)


def test_values_do_not_depend_on_the_grid() -> None:
    x, y, z = np.linspace(-50, 50, 11), np.linspace(-20, 20, 5), np.linspace(0, 90, 7)
    whole = field().sample(x, y, z)
    assert whole.shape == (2, 7, 5, 11)
    np.testing.assert_array_equal(field().sample(x[3:5], y[1:2], z[2:6]), whole[:, 2:6, 1:2, 3:5])


def test_the_amplitude_is_the_standard_deviation() -> None:
    axis = np.linspace(-300, 300, 40)
    assert 2.0 < field().sample(axis, axis, axis).std() < 4.0
