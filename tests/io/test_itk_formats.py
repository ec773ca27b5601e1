"""What SimpleITK reads, and what it would read wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import block_array, block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.volume import open_scan


def test_a_format_with_directions(tmp_path: Path) -> None:
    image = block_image()
    image.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
    path = tmp_path / "ct.hdf5"
    sitk.WriteImage(image, str(path))
    found = read(path)
    np.testing.assert_array_equal(found.array, block_array())
    assert found.geometry.direction == image.GetDirection()
    assert found.geometry.origin == image.GetOrigin()
    assert found.warnings == []
    with pytest.raises(InputError, match=r"but the header of .*ct\.hdf5 has one; leave it out"):
        read(path, orientation="LPS")


@pytest.mark.parametrize("name", ["ct.vtk", "ct.gipl"])
def test_a_format_without_orientation(name: str, tmp_path: Path) -> None:
    sitk.WriteImage(block_image(), str(tmp_path / name))
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.array, block_array())
    np.testing.assert_allclose(found.geometry.spacing, block_image().GetSpacing())
    assert [warning.code for warning in found.warnings] == ["orientation-assumed"]
    turned = read(tmp_path / name, orientation="RAS")
    assert turned.geometry.direction == (-1, 0, 0, 0, -1, 0, 0, 0, 1)
    assert turned.warnings == []


@pytest.mark.parametrize("name", ["ct.vtk", "ct.gipl"])
def test_cut_short(name: str, tmp_path: Path) -> None:
    """SimpleITK fills in what was in its memory."""
    path = tmp_path / name
    sitk.WriteImage(block_image(), str(path))
    path.write_bytes(path.read_bytes()[: 2 * block_array().size - 1])
    with pytest.raises(InputError, match=r"is cut short: it has 174,419 bytes"):
        read(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "ct.tif",
            r"ct\.tif looks like TIFF, which is not read .*; save the scan as NIfTI, NRRD or MetaImage",
        ),
        ("ct.mrc", r"ct\.mrc looks like MRC, which is not read"),
        ("ct.mnc", r"ct\.mnc looks like MINC, which is not read"),
        ("ct.gipl.gz", r"ct\.gipl\.gz is compressed, which is not read in this format; decompress it first"),
    ],
)
def test_formats_that_would_be_read_wrong(name: str, message: str, tmp_path: Path) -> None:
    sitk.WriteImage(block_image(), str(tmp_path / name))
    with pytest.raises(InputError, match=message):
        read(tmp_path / name)


def test_directions_that_are_not_of_length_1() -> None:
    """SimpleITK scales positions with them."""
    image = block_image()
    image.SetDirection((2, 0, 0, 0, 2, 0, 0, 0, 0.5))
    scan = open_scan(image)
    np.testing.assert_allclose(scan.geometry.spacing, (8, 7, 2.5))
    assert scan.geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)
