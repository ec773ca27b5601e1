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
from efficientscn_trt.io.writing import write


@pytest.mark.parametrize("name", ["ct.vtk", "ct.gipl"])
def test_a_format_without_orientation(name: str, tmp_path: Path) -> None:
    sitk.WriteImage(block_image(), str(tmp_path / name))
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.array, block_array())
    np.testing.assert_allclose(found.geometry.spacing, block_image().GetSpacing())
    assert [warning.code for warning in found.warnings] == ["orientation-assumed"]
    turned = read((tmp_path / name).rename(tmp_path / "ct"), orientation="RAS")
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


@pytest.mark.parametrize("name", ["ct.tif", "ct.mrc", "ct.mnc", "ct.hdf5", "ct.gipl.gz"])
def test_formats_that_are_not_read(name: str, tmp_path: Path) -> None:
    """Most cannot hold an orientation or a slice distance, or would be read wrong."""
    sitk.WriteImage(block_image(), str(tmp_path / name))
    with pytest.raises(InputError, match=r"its format is not known; give a CT as NIfTI, NRRD, MetaImage or"):
        read(tmp_path / name)


def test_a_file_of_vtk_that_holds_no_image(tmp_path: Path) -> None:
    path = tmp_path / "mesh.vtk"
    path.write_text("# vtk DataFile Version 3.0\nmesh\nASCII\nDATASET POLYDATA\nPOINTS 1 float\n0 0 0\n")
    with pytest.raises(InputError, match=r"mesh\.vtk is damaged or holds no image: .*; give a CT as NIfTI"):
        read(path)


@pytest.mark.parametrize("name", ["ct.vtk", "ct.gipl", "ct.mha"])
def test_nothing_is_printed(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Not by ITK either: its writers warn of every name that they do not expect."""
    image = block_image()
    image.SetMetaData("descrip", "CT")
    sitk.WriteImage(image, str(tmp_path / name))
    capfd.readouterr()
    scan = read(tmp_path / name)
    write(np.ones(scan.array.shape, np.uint8), scan.geometry, tmp_path / "labels.mha")
    assert capfd.readouterr() == ("", "")


def test_directions_that_are_not_of_length_1() -> None:
    """SimpleITK scales positions with them."""
    image = block_image()
    image.SetDirection((2, 0, 0, 0, 2, 0, 0, 0, 0.5))
    scan = open_scan(image)
    np.testing.assert_allclose(scan.geometry.spacing, (8, 7, 2.5))
    assert scan.geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)
