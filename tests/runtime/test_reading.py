"""A scan is read alike from files of many formats, an image and an array. tests/io has each format."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import block_array, block_image

from efficientscn_trt import Segmenter
from efficientscn_trt.io.volume import open_scan


@pytest.mark.parametrize(
    "name", ["ct.nii", "ct.nii.gz", "ct.hdr", "ct.img.gz", "ct.nrrd", "ct.mha", "ct.mhd"]
)
def test_formats(name: str, tmp_path: Path) -> None:
    image = block_image()
    sitk.WriteImage(image, str(tmp_path / name))
    scan = open_scan(tmp_path / name)
    np.testing.assert_array_equal(scan.array, sitk.GetArrayViewFromImage(image))
    np.testing.assert_allclose(scan.geometry.spacing, image.GetSpacing(), rtol=1e-6)
    assert scan.array.dtype == np.int16
    assert scan.warnings == []


def test_image_and_array_are_read_in_place() -> None:
    image, array = block_image(), block_array()
    assert np.shares_memory(open_scan(image).array, sitk.GetArrayViewFromImage(image))
    for view in (array, array[::-1], array.transpose(2, 0, 1), array[::2, 1:, ::3]):
        assert open_scan(view, spacing=(3, 3, 3)).array is view


@pytest.mark.parametrize(
    ("kind", "becomes"),
    [
        ("int8", "int16"),
        ("int16", "int16"),
        ("uint16", "uint16"),
        ("uint32", "int32"),
        ("int32", "int32"),
        ("int64", "int32"),
        ("uint64", "int32"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float32"),
        (">i2", "int16"),
        (">f8", "float32"),
    ],
)
def test_every_dtype_keeps_its_values(kind: str, becomes: str) -> None:
    dtype: Any = np.dtype(kind)
    low, high = (-120, 120) if dtype.itemsize == 1 else (-1000, 2000)
    values = np.linspace(max(low, 0) if dtype.kind == "u" else low, high, 60).round()
    array = values.reshape(3, 4, 5).astype(dtype)
    scan = open_scan(array, spacing=(3, 3, 3), values=False)
    assert scan.array.dtype == np.dtype(becomes)
    np.testing.assert_array_equal(scan.array, array)


def test_an_array_that_is_not_aligned_is_copied() -> None:
    records = np.zeros(block_array().shape, [("mask", np.uint8), ("hu", np.int16)])
    records["hu"] = block_array()
    scan = open_scan(records["hu"], spacing=(3, 3, 3))
    np.testing.assert_array_equal(scan.array, block_array())
    assert scan.array.flags.aligned


def test_an_array_gives_what_its_image_gives(segmenter: Segmenter) -> None:
    image = block_image()
    of_image = segmenter.segment(image)
    of_array = segmenter.segment(sitk.GetArrayFromImage(image), spacing=image.GetSpacing())
    np.testing.assert_array_equal(of_array.array, of_image.array)
    assert of_array.image.GetSpacing() == image.GetSpacing()
    assert of_array.volumes_ml == of_image.volumes_ml


def test_the_path_may_be_a_text(scan_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "Bauch, größer.nii.gz"
    shutil.copy(scan_file, other)
    np.testing.assert_array_equal(open_scan(str(other)).array, block_array())
