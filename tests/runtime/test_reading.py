"""A scan is read alike from files of many formats, a DICOM folder, an image and an array."""

from __future__ import annotations

import gzip
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from support.dicom import write_series
from support.scans import block_array, block_image

from efficientscn_trt import InputError, Segmenter
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


def test_voxel_file_of_a_pair_is_checked(tmp_path: Path) -> None:
    sitk.WriteImage(block_image(), str(tmp_path / "ct.hdr"))
    voxels = tmp_path / "ct.img"
    voxels.write_bytes(voxels.read_bytes()[:-2])
    with pytest.raises(
        InputError,
        match=r"ct\.img is cut short: it has 174,418 bytes of voxels, but its header announces 174,420",
    ):
        open_scan(tmp_path / "ct.hdr")


def test_voxel_file_of_a_pair_that_is_missing(tmp_path: Path) -> None:
    sitk.WriteImage(block_image(), str(tmp_path / "ct.hdr"))
    (tmp_path / "ct.img").unlink()
    with pytest.raises(InputError, match=r"ct\.img cannot be read: No such file"):
        open_scan(tmp_path / "ct.hdr")


def test_bytes_after_the_voxels_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "ct.nii"
    sitk.WriteImage(block_image(np.float32), str(path))
    path.write_bytes(path.read_bytes() + b"\xff" * 100)
    np.testing.assert_array_equal(open_scan(path).array, block_array())


def test_gzip_of_several_members(tmp_path: Path) -> None:
    sitk.WriteImage(block_image(), str(tmp_path / "ct.nii"))
    content = (tmp_path / "ct.nii").read_bytes()
    path = tmp_path / "members.nii.gz"
    path.write_bytes(gzip.compress(content[:50_000]) + gzip.compress(content[50_000:]))
    np.testing.assert_array_equal(open_scan(path).array, block_array())


def test_nifti_of_big_endian_order(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    array = block_array().transpose()
    affine = np.diag([-3.0, -3.0, 3.0, 1.0])
    header, path = nibabel.Nifti1Header(endianness=">"), tmp_path / "big.nii.gz"
    for kind in (np.int16, np.float32, np.float64):
        nibabel.save(nibabel.Nifti1Image(array.astype(kind), affine, header), path)
        scan = open_scan(path)
        np.testing.assert_array_equal(scan.array, block_array())
        assert scan.geometry.spacing == (3.0, 3.0, 3.0)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="damaged or cut short"):
        open_scan(path)


@pytest.mark.parametrize(("scale", "warned"), [(1.0, False), (1.004, False), (0.5, True)])
def test_nifti_with_two_spacings_is_warned_of(scale: float, warned: bool, tmp_path: Path) -> None:
    path = tmp_path / "ct.nii"
    sitk.WriteImage(block_image(), str(path))
    content = bytearray(path.read_bytes())
    x, y, z = block_image().GetSpacing()
    struct.pack_into("<h", content, 254, 1)
    struct.pack_into("<12f", content, 280, -x * scale, 0, 0, 0, 0, -y, 0, 0, 0, 0, z, 0)
    path.write_bytes(content)
    scan = open_scan(path)
    assert scan.geometry.spacing == (4.0, 3.5, 5.0)
    assert scan.warnings == warned * [
        f"The header of {path} gives the spacing as 4 × 3.5 × 5 (pixdim) and as 2 × 3.5 × 5 (sform): the "
        "first was used, but other programs may use the second."
    ]


def test_dicom_folder(tmp_path: Path) -> None:
    image = block_image()
    write_series(image, tmp_path, description="portal venous")
    scan = open_scan(tmp_path)
    np.testing.assert_array_equal(scan.array, block_array())
    np.testing.assert_allclose(scan.geometry.spacing, image.GetSpacing())
    np.testing.assert_allclose(scan.geometry.origin, image.GetOrigin())
    assert scan.warnings == []


def test_dicom_folder_with_two_series_names_them(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, description="portal venous", series=1)
    write_series(block_image()[:, :, :5], tmp_path, description="scout", series=2)
    with pytest.raises(InputError, match="holds 2 DICOM series, expected one") as caught:
        open_scan(tmp_path)
    assert "portal venous, 34 files" in str(caught.value)
    assert "scout, 5 files" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1000])])
def test_missing_or_cut_dicom_slice_is_warned_of(spoil: Callable[[Path], Any], tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    spoil(tmp_path / "1-017.dcm")
    *_, warning = open_scan(tmp_path).warnings
    assert "are 5 to 10 mm apart, but are treated as equally spaced: one may be missing or damaged" in warning


def test_cut_dicom_slice_at_the_end_is_warned_of(tmp_path: Path) -> None:
    """It leaves no gap."""
    write_series(block_image(), tmp_path)
    last = tmp_path / "1-033.dcm"
    last.write_bytes(last.read_bytes()[:-1000])
    (tmp_path / "notes.txt").write_text("no DICOM")
    scan = open_scan(tmp_path)
    assert scan.geometry.size == (57, 45, 33)
    assert scan.warnings == [
        f"The scan in {tmp_path} lacks 1-033.dcm: damaged, or no CT slice; copy a damaged file again."
    ]


def test_tilted_gantry_is_warned_of(tmp_path: Path) -> None:
    """Slices that lean by 20° and are stacked along z, 5 mm apart: 5 cos 20° along their normal."""

    def tilt(number: int, tags: dict[str, str]) -> None:
        tags["0020|0037"] = "1\\0\\0\\0\\0.9396926\\-0.3420201"

    write_series(block_image(), tmp_path, change=tilt)
    (warning,) = open_scan(tmp_path).warnings
    assert "are shifted sideways by 56.4 mm from first to last (a tilted gantry)" in warning
    assert "volumes 6.4 % too large" in warning


def _turned(number: int, tags: dict[str, str]) -> None:
    if number == 33:
        tags["0020|0037"] = "1\\0\\0\\0\\0\\-1"


def _at_one_place(number: int, tags: dict[str, str]) -> None:
    if number in (0, 7):
        tags["0020|0032"] = "-101.25\\33.1\\-700.7"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_turned, r"The 34 slices in .* have more than one orientation, expected one; copy the slices"),
        (_at_one_place, r"The 34 slices in .* are at only 33 positions, so copies or several"),
    ],
)
def test_dicom_slices_that_make_no_volume(
    change: Callable[[int, dict[str, str]], None], message: str, tmp_path: Path
) -> None:
    write_series(block_image(), tmp_path, change=change)
    with pytest.raises(InputError, match=message) as caught:
        open_scan(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "left", "1\\2"])
def test_dicom_slice_without_its_position(text: str, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    path = tmp_path / "1-004.dcm"
    content = path.read_bytes()
    (position,) = re.findall(rb"-101\.250*\\33\.10*\\-680\.70*", content)
    path.write_bytes(content.replace(position, text.encode().ljust(len(position))))
    with pytest.raises(InputError, match=r"1 of the 34 slices in .* lack their position, without which"):
        open_scan(tmp_path)


def test_dicom_slices_of_two_sizes(tmp_path: Path) -> None:
    write_series(block_image()[:, :, :9], tmp_path)
    (tmp_path / "1-008.dcm").rename(tmp_path / "last.dcm")
    write_series(block_image()[:40, :40, :1], tmp_path)
    with pytest.raises(InputError, match="cannot be read: its slices differ in size"):
        open_scan(tmp_path)


def test_folder_with_one_dicom_file_of_many_frames(tmp_path: Path) -> None:
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(tmp_path / "frames.dcm"))
    writer.Execute(sitk.Cast(block_image() + 1000, sitk.sitkUInt16))  # ITK writes many frames of this type
    np.testing.assert_array_equal(open_scan(tmp_path).array, block_array() + 1000)


def test_one_dicom_slice(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    with pytest.raises(InputError, match=r"has 57 × 45 × 1 voxels, .*for DICOM, the folder of the series"):
        open_scan(tmp_path / "1-017.dcm")


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
    scan = open_scan(array, spacing=(3, 3, 3))
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
