"""Formats that are not read, and images of SimpleITK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.volume import open_scan


@pytest.mark.parametrize("extension", ["vtk", "gipl", "gipl.gz", "tif", "mrc", "mnc", "hdf5"])
def test_formats_that_are_not_read(extension: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Most cannot hold an orientation or a slice distance, and SimpleITK reads cut files of most as whole."""
    path = tmp_path / f"ct.{extension}"
    sitk.WriteImage(block_image(), str(path))
    for content in (path.read_bytes(), path.read_bytes()[: path.stat().st_size // 2]):
        path.write_bytes(content)
        capfd.readouterr()
        message = r"its format is not known; give a CT as NIfTI, NRRD, MetaImage or DICOM\.|gzip: "
        with pytest.raises(InputError, match=message):
            read(path)
        assert capfd.readouterr() == ("", "")


def test_directions_that_are_not_of_length_1() -> None:
    """SimpleITK scales positions with them."""
    image = block_image()
    image.SetDirection((2, 0, 0, 0, 2, 0, 0, 0, 0.5))
    scan = open_scan(image)
    np.testing.assert_allclose(scan.geometry.spacing, (8, 7, 2.5))
    assert scan.geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_directions_that_leave_no_volume() -> None:
    image = block_image()
    image.SetDirection((1, 0, 0, 0, 1, 0, 0, 2, 1))
    message = (
        "The image does not say where the scan is, because its direction has axes that lean by more than"
    )
    with pytest.raises(InputError, match=message):
        open_scan(image)
