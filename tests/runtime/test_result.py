"""The label map is saved completely or not at all, with the geometry of the scan."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import block_image

from efficientscn_trt import OutputError, Segmentation, Segmenter
from efficientscn_trt.io.writing import EXTENSIONS, check_output


@pytest.fixture(scope="module")
def result(segmenter: Segmenter) -> Segmentation:
    return segmenter.segment(block_image())


@pytest.mark.parametrize("extension", [*EXTENSIONS, ".NII.GZ"])
def test_saved_map_is_the_result(extension: str, result: Segmentation, tmp_path: Path) -> None:
    path = tmp_path / f"case.7{extension}"
    result.save(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(image), result.array)
    assert image.GetPixelID() == sitk.sitkUInt8
    np.testing.assert_allclose(image.GetSpacing(), block_image().GetSpacing(), rtol=1e-6)
    np.testing.assert_allclose(image.GetOrigin(), block_image().GetOrigin(), rtol=1e-6)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("code", ["LPS", "RAS", "SAL", "PIR"])
def test_files_keep_the_geometry_to_the_last_bit(
    extension: str, code: str, segmenter: Segmenter, tmp_path: Path
) -> None:
    image = sitk.DICOMOrient(block_image(), code)
    image.SetSpacing((0.7, 0.7123456789, 1.2345678))
    scan, labels = tmp_path / f"ct{extension}", tmp_path / f"labels{extension}"
    sitk.WriteImage(image, str(scan))
    segmenter.segment(scan).save(labels)
    ours, theirs = sitk.ReadImage(str(labels)), sitk.ReadImage(str(scan))
    assert ours.GetSize() == theirs.GetSize()
    assert ours.GetSpacing() == theirs.GetSpacing()
    assert ours.GetOrigin() == theirs.GetOrigin()
    assert ours.GetDirection() == theirs.GetDirection()


def test_a_file_that_is_there_is_replaced(result: Segmentation, tmp_path: Path) -> None:
    path = tmp_path / "labels.nrrd"
    path.write_text("old")
    result.save(str(path))
    assert sitk.ReadImage(str(path)).GetSize() == result.image.GetSize()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/proc/labels.nii.gz", r"/proc/labels\.nii\.gz cannot be written"),
        ("nowhere/labels.nii.gz", r"there is no folder .*nowhere; make it first"),
        ("folder.nii.gz", r"is a folder, expected the name of a file"),
        ("labels.mhd", r"has no known extension, expected one of \.nii\.gz, \.nii, \.nrrd, \.mha"),
        ("labels", r"has no known extension"),
        ("a\0b.nrrd", r"a b\.nrrd cannot be written: its name has a character that no file's name has"),
        ("a\ud800b.nrrd", r"a b\.nrrd cannot be written: its name has a character that no file's name has"),
        (".nii.gz", r"\.nii\.gz has no name before its extension; give one, such as labels\.nii\.gz"),
    ],
)
def test_output_that_cannot_be_written(path: str, message: str, result: Segmentation, tmp_path: Path) -> None:
    (tmp_path / "folder.nii.gz").mkdir()
    for attempt in (result.save, check_output):
        with pytest.raises(OutputError, match=message) as caught:
            attempt(tmp_path / path)
        assert caught.value.exit_code == 5
    assert [file.name for file in tmp_path.iterdir()] == ["folder.nii.gz"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_followed(exists: bool, result: Segmentation, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    path, place = tmp_path / "labels.nii.gz", tmp_path / "disk" / "case.nii.gz"
    if exists:
        place.write_text("the labels of yesterday")
    path.symlink_to(Path("disk") / "case.nii.gz")
    check_output(path)
    result.save(path)
    assert path.readlink() == Path("disk") / "case.nii.gz"
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(place))), result.array)
    assert list((tmp_path / "disk").iterdir()) == [place]


def test_the_name_that_is_given_decides_the_format(result: Segmentation, tmp_path: Path) -> None:
    """Not that of the file to which it leads."""
    path, place = tmp_path / "labels.nii.gz", tmp_path / "MD5E-s12345"
    path.symlink_to(place.name)
    result.save(path)
    assert gzip.decompress(place.read_bytes())[344:347] == b"n+1"


@pytest.mark.parametrize("name", ["x" * 248 + ".nii.gz", "Ж" * 124 + ".nii.gz"])
def test_a_name_as_long_as_it_may_be(name: str, result: Segmentation, tmp_path: Path) -> None:
    result.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_link_to_nowhere(result: Segmentation, tmp_path: Path) -> None:
    path = tmp_path / "labels.nii.gz"
    path.symlink_to("disk/case.nii.gz")
    for attempt in (result.save, check_output):
        with pytest.raises(
            OutputError, match=r"labels\.nii\.gz cannot be written: no such file or directory"
        ):
            attempt(path)


def test_links_in_a_circle(result: Segmentation, tmp_path: Path) -> None:
    path, other = tmp_path / "labels.nii.gz", tmp_path / "other.nii.gz"
    path.symlink_to(other.name)
    other.symlink_to(path.name)
    for attempt in (result.save, check_output):
        with pytest.raises(OutputError, match=r"labels\.nii\.gz is a link that leads back to itself; give"):
            attempt(path)
    assert path.is_symlink() and other.is_symlink()


def test_check_leaves_nothing(tmp_path: Path) -> None:
    check_output(tmp_path / "labels.nii.gz")
    assert list(tmp_path.iterdir()) == []


WRITERS = {".nii.gz": "nifti.write_nifti", ".mha": "itk.write_itk"}


@pytest.mark.parametrize("extension", WRITERS)
@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("old", [None, b"the labels of yesterday"])
def test_interrupted_writing_leaves_what_was_there(
    failure: type[BaseException],
    old: bytes | None,
    extension: str,
    result: Segmentation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / f"labels{extension}"
    if old:
        path.write_bytes(old)

    def write_half(array: np.ndarray, geometry: Any, path: Path, **_: bool) -> None:
        path.write_bytes(b"half")
        raise failure

    monkeypatch.setattr(f"efficientscn_trt.io.{WRITERS[extension]}", write_half)
    with pytest.raises(failure):
        result.save(path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([old] if old else [])


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_full_disk_leaves_what_was_there(extension: str, result: Segmentation, tmp_path: Path) -> None:
    """Not all of ITK's writers report a full disk. A limit on the size of files simulates one."""
    resource = pytest.importorskip("resource")
    path = tmp_path / f"labels{extension}"
    path.write_text("the labels of yesterday")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, usual[1]))
    try:
        with pytest.raises(OutputError, match=rf"labels\{extension} "):
            result.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["the labels of yesterday"]


def test_failed_writing_is_an_output_error(
    result: Segmentation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(image: sitk.Image, name: str, **options: Any) -> None:
        raise RuntimeError("Exception thrown in SimpleITK WriteImage:\nITK ERROR: no space left")

    monkeypatch.setattr(sitk, "WriteImage", disk_full)
    with pytest.raises(OutputError, match=r"labels\.mha cannot be written: .*no space left"):
        result.save(tmp_path / "labels.mha")
    assert list(tmp_path.iterdir()) == []
