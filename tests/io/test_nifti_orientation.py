"""A header that does not say how the scan is oriented, and the option that does."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from support.dicom import write_series
from support.nifti import affine_of, block_nifti, header_of, load, noise, write
from support.scans import block_image

from efficientscn_trt import InputError, Segmenter
from efficientscn_trt.io.reading import read


@pytest.mark.parametrize("code", ["LPS", "RAS", "ASL", "ipr"])
def test_an_orientation_for_a_header_without_one(code: str, tmp_path: Path) -> None:
    """Against nibabel's reading of the letters."""
    path = write(tmp_path / "ct.nii", noise(), header_of(noise(), qform=None, sform=None))
    image = read(path, orientation=code)
    assert "".join(nibabel.aff2axcodes(affine_of(image.geometry))) == code.upper()
    assert image.warnings == []
    assert image.geometry.spacing == (1.5, 2, 3)


def test_an_orientation_that_is_assumed(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii", noise(), header_of(noise(), qform=None, sform=None))
    image = read(path)
    assert "".join(nibabel.aff2axcodes(affine_of(image.geometry))) == "LPS"
    assert [str(warning) for warning in image.warnings] == [
        f"The header of {path} does not say how the scan is oriented, so its axes were assumed to run to the "
        "left, to the back and to the head (LPS); if they do not, give the right orientation (--orientation)."
    ]


@pytest.mark.parametrize("code", ["", "LP", "LPSI", "LRS", "XYZ", "LLS", "L S"])
def test_a_code_that_is_no_orientation(code: str, tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii", noise(), header_of(noise(), qform=None, sform=None))
    with pytest.raises(InputError, match=f"The orientation is {code}, expected three letters, such as LPS"):
        read(path, orientation=code)


def test_an_orientation_for_a_scan_that_has_one(segmenter: Segmenter, tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii", noise(), header_of(noise()))
    with pytest.raises(InputError, match=r"but the header of .*ct\.nii has one; leave it out"):
        read(path, orientation="LPS")
    sitk.WriteImage(block_image(), str(tmp_path / "ct.nrrd"))
    with pytest.raises(InputError, match=r"but the header of .*ct\.nrrd has one; leave it out"):
        read(tmp_path / "ct.nrrd", orientation="LPS")
    write_series(block_image(), tmp_path / "series")
    with pytest.raises(InputError, match="DICOM has its own; leave it out"):
        read(tmp_path / "series", orientation="LPS")
    with pytest.raises(InputError, match="`orientation` was given for a volume that is no path"):
        segmenter.segment(block_image(), orientation="LPS")


def test_an_orientation_turns_the_scan_for_the_networks(segmenter: Segmenter, tmp_path: Path) -> None:
    path = block_nifti(tmp_path / "ct.nii", qform=None, sform=None, pixdim=(1, 4, 3.5, 5, 1, 1, 1, 1))
    straight = segmenter.segment(path)
    turned = segmenter.segment(path, orientation="RAI")
    assert straight.volumes_ml["liver"] == pytest.approx(turned.volumes_ml["liver"], rel=0.05)
    assert straight.box.start_mm != turned.box.start_mm
    turned.save(tmp_path / "labels.nii")
    np.testing.assert_array_equal(load(tmp_path / "labels.nii").affine, load(path).affine)
