"""The LPS view against SimpleITK's own re-orientation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from efficientscn_trt.io.orientation import Geometry

CODES = [
    "".join(code) for axes in itertools.permutations(["LR", "PA", "SI"]) for code in itertools.product(*axes)
]


def rotation(degrees: float, axis: int) -> np.ndarray:
    angle = np.deg2rad(degrees)
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[[i, j], [i, j]] = np.cos(angle)
    matrix[i, j], matrix[j, i] = -np.sin(angle), np.sin(angle)
    return matrix


def lps_image() -> sitk.Image:
    array = np.random.default_rng(3).integers(-1000, 1000, (3, 4, 5)).astype(np.int16)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.7, 0.8, 2.5))
    return image


@pytest.mark.parametrize("code", CODES)
def test_view_undoes_every_orientation(code: str) -> None:
    image = lps_image()
    stored = sitk.DICOMOrient(image, code)
    geometry = Geometry.of(stored)
    array = sitk.GetArrayViewFromImage(stored)
    view = geometry.lps_view(array)
    np.testing.assert_array_equal(view, sitk.GetArrayFromImage(image))
    assert np.shares_memory(view, array)
    assert geometry.lps_spacing == (2.5, 0.8, 0.7)


@pytest.mark.parametrize("code", ["LPS", "RAS", "SAL", "PIR"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_oblique_counts_as_its_nearest_axes(code: str, axis: int) -> None:
    image = lps_image()
    stored = sitk.DICOMOrient(image, code)
    direction = rotation(11, axis) @ np.reshape(stored.GetDirection(), (3, 3))
    stored.SetDirection(direction.ravel().tolist())
    view = Geometry.of(stored).lps_view(sitk.GetArrayViewFromImage(stored))
    np.testing.assert_array_equal(view, sitk.GetArrayFromImage(image))


@pytest.mark.parametrize("degrees", [44.9, 45, 45.1, 90, 135, 225, 315])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_45_degrees_is_still_a_permutation(degrees: float, axis: int) -> None:
    direction = rotation(degrees, axis) @ rotation(45, (axis + 1) % 3)
    geometry = Geometry((5, 4, 3), (1, 2, 3), direction=tuple(direction.ravel().tolist()))
    assert sorted(geometry.image_axis_of) == [0, 1, 2]
    assert sorted(geometry.lps_view(np.empty((3, 4, 5))).shape) == [3, 4, 5]


@pytest.mark.parametrize("code", CODES)
def test_own_slices_show_the_same_voxels(code: str) -> None:
    stored = sitk.DICOMOrient(lps_image(), code)
    geometry, array = Geometry.of(stored), sitk.GetArrayViewFromImage(stored)
    start, stop = (1, 0, 2), (3, 3, 4)
    lps = geometry.lps_view(array)[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
    own = array[geometry.own_slices(start, stop)]
    np.testing.assert_array_equal(np.sort(own.ravel()), np.sort(lps.ravel()))


def test_geometry_returns_to_the_last_bit() -> None:
    image = lps_image()
    image.SetOrigin((0.1, -1 / 3, 1e-17))
    image.SetDirection(rotation(11, 2).ravel().tolist())
    other = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    Geometry.of(image).put_on(other)
    assert other.GetOrigin() == image.GetOrigin()
    assert other.GetSpacing() == image.GetSpacing()
    assert other.GetDirection() == image.GetDirection()
