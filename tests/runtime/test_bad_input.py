"""Input that is not a CT volume is refused in one sentence with what was found; odd input has a warning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from support.bad_scans import BAD_SCANS
from support.scans import SPACING_XYZ, block_array, block_image

from efficientscn_trt import InputError, Segmenter


@pytest.mark.parametrize("case", BAD_SCANS)
def test_bad_file(case: str, segmenter: Segmenter, tmp_path: Path) -> None:
    make, message = BAD_SCANS[case]
    with pytest.raises(InputError, match=message) as caught:
        segmenter.segment(make(tmp_path))
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def _nan_spacing() -> sitk.Image:
    image = block_image()
    image.SetSpacing((float("nan"), 1, 1))
    return image


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        (sitk.Image([0, 4, 4], sitk.sitkInt16), r"The image is empty \(0 × 4 × 4 voxels\)"),
        (sitk.Image([4, 4], sitk.sitkInt16), r"The image has 2 dimensions"),
        (sitk.Image([4, 4, 4, 4], sitk.sitkInt16), r"The image has 4 dimensions"),
        (sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), r"The image has 3 values per voxel"),
        (sitk.Image([4, 4, 4], sitk.sitkComplexFloat32), r"voxels of the type complex"),
        (sitk.Image([4, 4, 4], sitk.sitkLabelUInt8), r"voxels of the type label"),
        (_nan_spacing(), r"The image has the spacing nan × 1 × 1 mm, expected three positive"),
        ([[[1, 2]]], r"The volume is a list, expected a path, a list of the paths of a DICOM series, a "),
    ],
)
def test_bad_object(volume: Any, message: str, segmenter: Segmenter) -> None:
    with pytest.raises(InputError, match=message):
        segmenter.segment(volume)


@pytest.mark.parametrize(
    ("array", "spacing", "message"),
    [
        (block_array(), None, r"A NumPy array has no spacing; give spacing=\(x, y, z\) in mm"),
        (block_array(), (1, 0, 1), r"The array has the spacing 1 × 0 × 1 mm"),
        (block_array(), (1, -1, 1), r"The array has the spacing 1 × -1 × 1 mm"),
        (block_array(), (1, float("nan"), 1), r"The array has the spacing 1 × nan × 1 mm"),
        (block_array(), (1, 1), r"The spacing is \(1, 1\), expected three numbers"),
        (block_array(), (1, 1, 10**5000), r"The spacing is <tuple>, expected three numbers"),
        (block_array(), np.ones((3, 3)), r"The spacing is array\(.*, expected three numbers"),
        (np.ma.array(np.zeros((4, 4, 4), "i2,i2")), (3, 3, 3), r"voxels of the type \[.*, expected whole"),
        (block_array(), (1, 1, 10**400), r"The spacing is \(1, 1, 10{50,}…, expected three numbers"),
        (block_array(), "123", r"The spacing is '123', expected three numbers"),
        (block_array(), b"123", r"The spacing is b'123', expected three numbers"),
        (block_array(), ("1", "2", "3"), r"The spacing is \('1', '2', '3'\), expected three numbers"),
        (block_array(), {1: "x", 2: "y", 3: "z"}, r"The spacing is {.*}, expected three numbers"),
        (block_array(), {1.0, 2.0, 3.0}, r"The spacing is {.*}, expected three numbers"),
        (block_array(), iter((1.0, 2.0, 3.0)), r"The spacing is .*, expected three numbers"),
        (block_array(), 3.0, r"The spacing is 3\.0, expected three numbers \(x, y, z\) in mm"),
        (block_array(), (1, None, 1), r"The spacing is \(1, None, 1\), expected three numbers"),
        (block_array(), "1 mm", r"The spacing is '1 mm', expected three numbers"),
        (block_array()[0], (1, 1, 1), r"The array has 2 dimensions \(57 × 45 voxels\)"),
        (block_array()[:1], (1, 1, 1), r"The array has 57 × 45 × 1 voxels, expected at least 2"),
        (block_array()[:0], (1, 1, 1), r"The array is empty"),
        (np.ma.masked_less(block_array(), -500), (3, 3, 3), r"The array has a mask, expected one without"),
        (block_array() > 0, (1, 1, 1), r"values from 0 to 1, so it was scaled"),
        (block_array().astype("U8"), (1, 1, 1), r"voxels of the type <U8, expected"),
        (
            block_array() + 1024,
            (3, 3, 3),
            r"values from 24 to 1424, but no air .* check its rescale intercept",
        ),
        (block_array(np.int64) + (1 << 32), (1, 1, 1), r"values from 4\.29497e\+09 .*cannot be HU"),
        (block_array(np.int64) - 100_000, (1, 1, 1), r"values from -101000 .*cannot be HU"),
        (block_array(np.float64) * 1e300, (1, 1, 1), r"NaN or infinite"),
    ],
)
def test_bad_array(array: np.ndarray, spacing: Any, message: str, segmenter: Segmenter) -> None:
    with pytest.raises(InputError, match=message):
        segmenter.segment(array, spacing=spacing)


@pytest.mark.parametrize("option", ["series", "orientation"])
@pytest.mark.parametrize("value", [5, b"LPS", ["LPS"]])
def test_options_that_are_no_text(option: str, value: Any, segmenter: Segmenter, scan_file: Path) -> None:
    options: Any = {option: value}
    with pytest.raises(InputError, match=rf"`{option}` is {re.escape(repr(value))}, expected text"):
        segmenter.segment(scan_file, **options)


class _NoArithmetic(np.ndarray):
    """An array that refuses the functions of NumPy."""

    __array_ufunc__ = None  # type: ignore[assignment]


def test_array_of_a_subclass(segmenter: Segmenter) -> None:
    array = block_array(np.int64)
    found = segmenter.segment(array.view(_NoArithmetic), spacing=SPACING_XYZ)
    np.testing.assert_array_equal(found.array, segmenter.segment(array, spacing=SPACING_XYZ).array)


@pytest.mark.parametrize("text", ["\x1b[2J", "\ud800", "\0", "x" * 10**6])
def test_orientation_that_no_terminal_shows(text: str, segmenter: Segmenter, scan_file: Path) -> None:
    with pytest.raises(InputError, match=r"The orientation is .*, expected three letters") as caught:
        segmenter.segment(scan_file, orientation=text)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500


class _Named:
    def __fspath__(self) -> bytes:
        return b"ct.nii"


def test_path_in_bytes(segmenter: Segmenter) -> None:
    path: Any = _Named()
    with pytest.raises(InputError, match="is no path, expected text or a path"):
        segmenter.segment(path)


@pytest.mark.parametrize("path", ["a\0.nii.gz", "\0", "folder\0/ct.nii.gz"])
def test_path_with_a_nul(path: str, segmenter: Segmenter) -> None:
    with pytest.raises(InputError, match="There is no file or folder"):
        segmenter.segment(path)


def test_spacing_is_for_arrays(segmenter: Segmenter, scan_file: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"`spacing` was given for a file or a SimpleITK\.Image, which has its own; leave it out",
    ):
        segmenter.segment(scan_file, spacing=(1, 1, 1))


@pytest.mark.parametrize("low", [-30000, -5000])
def test_odd_values_are_warned_of(low: int, segmenter: Segmenter) -> None:
    array = block_array()
    array[:, 0] = low
    result = segmenter.segment(array, spacing=SPACING_XYZ)
    assert [str(warning) for warning in result.warnings] == [
        f"The array has values from {low} to 400, far outside the usual HU (−1024 to about 3071); "
        "if these are padding or metal, check the label map beside them, else the rescale slope and "
        "intercept."
    ]


def test_all_air_gives_background_with_a_warning(segmenter: Segmenter) -> None:
    result = segmenter.segment(np.full((20, 30, 40), -1000, np.int16), spacing=(4, 4, 4))
    assert isinstance(result.array, np.ndarray) and not result.array.any()
    assert [str(warning) for warning in result.warnings] == [
        "The array has values from -1000 to -1000, of which none are above −200, so it is nearly all air "
        "(−1000 HU); check that it shows a body, and its rescale intercept.",
        "No organ was found at low resolution, so the whole scan was searched.",
    ]
    assert result.box.voxels == (slice(0, 20), slice(0, 30), slice(0, 40))
    assert set(result.volumes_ml.values()) == {0.0}
