"""HU = slope × stored value + intercept, frame by frame, however the values are stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from support.dicom import ct_slice, enhanced_ct, only, set_hu, set_pixels, write_series
from support.scans import block_array, block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read

HU = block_array()


def _stored(dtype: Any, bits: int, intercept: int) -> Callable[[int, Dataset], None]:
    def change(number: int, dataset: Dataset) -> None:
        set_hu(dataset, HU[number], intercept=intercept, dtype=dtype, bits=bits)
        dataset.PhotometricInterpretation = "MONOCHROME1"

    return change


@pytest.mark.parametrize(
    ("dtype", "bits", "intercept"),
    [(np.uint16, 12, -1024), (np.uint16, 16, -1024), (np.int16, 16, 0), (np.int16, 12, 0)],
)
def test_monochrome1_is_about_display(dtype: Any, bits: int, intercept: int, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, change=_stored(dtype, bits, intercept))
    scan = read(tmp_path)
    np.testing.assert_array_equal(scan.array, HU)
    assert scan.warnings == []


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    """The first slice is unsigned and begins at 0 HU; a type chosen by it would wrap the others around."""

    def change(number: int, dataset: Dataset) -> None:
        intercept = 0 if number == 0 else -1024
        set_hu(dataset, np.maximum(HU[number], intercept), intercept=intercept, dtype=np.uint16, bits=12)

    write_series(block_image(), tmp_path, change=change)
    array = read(tmp_path).array
    np.testing.assert_array_equal(array[1:], HU[1:])
    np.testing.assert_array_equal(array[0], np.maximum(HU[0], 0))
    assert array.dtype == np.int16


@pytest.mark.parametrize(
    ("dtype", "bits", "slope", "intercept", "expected"),
    [
        (np.uint16, 12, 1, -1024, np.int16),
        (np.uint16, 16, 1, 0, np.uint16),
        (np.uint16, 16, 1, -1024, np.int32),
        (np.uint8, 8, 10, -1000, np.int16),
        (np.int16, 16, 2, 0, np.int32),
        (np.int16, 16, 0.5, -1000, np.float32),
        (np.int32, 32, 1, 0, np.int32),
    ],
)
def test_the_dtype_holds_all_that_can_be_stored(
    dtype: Any, bits: int, slope: float, intercept: float, expected: Any, tmp_path: Path
) -> None:
    values = np.clip(HU, 0 if expected == np.uint16 else -1000, 400) // 10 * 10

    def change(number: int, dataset: Dataset) -> None:
        set_hu(dataset, values[number], slope, intercept, dtype=dtype, bits=bits)

    write_series(block_image(), tmp_path, change=change)
    array = read(tmp_path).array
    assert array.dtype == expected
    np.testing.assert_array_equal(array, values)


def test_frames_of_enhanced_ct_have_their_own_rescale(tmp_path: Path) -> None:
    slopes = [1 + number % 3 for number in range(len(HU))]

    def change(number: int, group: Dataset) -> None:
        group.PixelValueTransformationSequence[0].RescaleSlope = str(slopes[number])
        group.PixelValueTransformationSequence[0].RescaleIntercept = str(-number)

    enhanced_ct(block_image(), change=change).save_as(tmp_path / "ct.dcm")
    expected = [slopes[number] * hu.astype(int) - number for number, hu in enumerate(HU)]
    np.testing.assert_array_equal(read(tmp_path / "ct.dcm").array, expected)


def _without(keyword: str) -> Callable[[Dataset], None]:
    return lambda dataset: delattr(dataset, keyword)


@pytest.mark.parametrize("number", [0, 7])
def test_a_rescale_that_only_some_slices_have(number: int, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, change=only(number, _without("RescaleIntercept")))
    with pytest.raises(InputError, match=rf"1-00{number}\.dcm lacks a usable rescale slope or intercept"):
        read(tmp_path)


def test_no_rescale_at_all(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        del dataset.RescaleSlope, dataset.RescaleIntercept

    write_series(block_image(), tmp_path, change=change)
    np.testing.assert_array_equal(read(tmp_path).array, HU)


def _slope_of_zero(dataset: Dataset) -> None:
    dataset.RescaleSlope = "0"


def _table(dataset: Dataset) -> None:
    dataset.ModalityLUTSequence = [Dataset()]


def _ten_bits(dataset: Dataset) -> None:
    dataset.BitsAllocated = 10


def _more_stored_than_allocated(dataset: Dataset) -> None:
    dataset.BitsStored = 20


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_slope_of_zero, r"1-005\.dcm has the rescale slope 0, which leaves no image"),
        (_table, r"turns stored values into HU by a table \(Modality LUT\), expected a rescale slope"),
        (_ten_bits, r"1-005\.dcm stores its pixels in 16 of 10 bits .* expected up to 8, 16 or 32"),
        (_more_stored_than_allocated, r"1-005\.dcm stores its pixels in 20 of 16 bits"),
    ],
)
def test_values_that_cannot_be_understood(
    spoil: Callable[[Dataset], None], message: str, tmp_path: Path
) -> None:
    write_series(block_image(), tmp_path, change=only(5, spoil))
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_bits_of_an_overlay_are_ignored_with_a_warning(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        stored = (HU[number] + 1024).astype(np.uint16)
        if number == 3:
            stored[10:20] |= 1 << 12
        set_pixels(dataset, stored, bits=12)
        dataset.RescaleIntercept = "-1024"

    write_series(block_image(), tmp_path, change=change)
    scan = read(tmp_path)
    np.testing.assert_array_equal(scan.array, HU)
    (warning,) = scan.warnings
    assert (warning.code, warning.message[-9:]) == ("unused-bits", "-003.dcm.")


def test_values_in_the_upper_bits_of_a_word(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        set_pixels(dataset, (HU[number] << 4).astype(np.int16), bits=12)
        dataset.HighBit = 15

    write_series(block_image(), tmp_path, change=change)
    np.testing.assert_array_equal(read(tmp_path).array, HU)


def test_values_in_another_unit_are_warned_of(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        dataset.RescaleType = "US"

    write_series(block_image(), tmp_path, change=change)
    (warning,) = read(tmp_path).warnings
    assert warning.code == "rescale-type" and "are US by their rescale type, expected HU" in warning.message


@pytest.mark.parametrize("missing", [2, 1000, HU[0].nbytes])
def test_pixels_that_are_cut_short(missing: int, tmp_path: Path) -> None:
    """The element has fewer bytes than its slice needs, but the file is well formed."""

    def cut(dataset: Dataset) -> None:
        dataset.PixelData = dataset.PixelData[:-missing]

    write_series(block_image(), tmp_path, change=only(9, cut))
    with pytest.raises(InputError, match=r"The pixels of .*1-009\.dcm are missing, cut short or damaged"):
        read(tmp_path)


def test_enhanced_ct_that_lacks_its_last_rows(tmp_path: Path) -> None:
    dataset = enhanced_ct(block_image())
    dataset.PixelData = dataset.PixelData[:-1000]
    dataset.save_as(tmp_path / "ct.dcm")
    with pytest.raises(InputError, match=r"The pixels of .*ct\.dcm are missing, cut short or damaged"):
        read(tmp_path / "ct.dcm")


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_file_that_is_cut_short(share: float, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    path = tmp_path / "1-009.dcm"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match=r"The pixels of .*1-009\.dcm are missing, cut short or damaged"):
        read(tmp_path)


def test_no_pixels(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, change=only(9, _without("PixelData")))
    with pytest.raises(InputError, match=r"The pixels of .*1-009\.dcm are missing, cut short or damaged"):
        read(tmp_path)


def test_elements_after_the_pixels(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        dataset.add_new(0xFFFCFFFC, "OB", b"\0" * 100)  # data set trailing padding

    write_series(block_image(), tmp_path, change=change)
    np.testing.assert_array_equal(read(tmp_path).array, HU)


def test_ct_slice_writes_what_pydicom_reads() -> None:
    np.testing.assert_array_equal(ct_slice(block_image(), 9).pixel_array, HU[9])
