"""Which files make the scan: one CT series among all that archives and planning systems put beside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UID, RTDoseStorage, SecondaryCaptureImageStorage
from support.dicom import SAMPLES, check, ct_slice, enhanced_ct, set_hu, write_disk, write_series
from support.scans import block_array, block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read

SECOND = "1.2.826.0.1.3680043.2.1125.9.2"


def _other(path: Path, kind: str, modality: str, frames: int = 1) -> None:
    """A file of another modality, as planning systems put into the same folder."""
    dataset = ct_slice(block_image(), 0, series=5)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(kind)
    dataset.Modality = modality
    if frames > 1:
        dataset.NumberOfFrames, dataset.PixelData = frames, dataset.PixelData * frames
    dataset.save_as(path)


@pytest.mark.parametrize("frames", [1, 3])
def test_ct_with_its_dose(frames: int, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    _other(tmp_path / "dose.dcm", RTDoseStorage, "RTDOSE", frames)
    for name in ("rtplan.dcm", "rtstruct.dcm", "rtdose.dcm", "MR_small.dcm", "reportsi.dcm"):
        shutil.copy(SAMPLES / name, tmp_path)
    check(read(tmp_path))


def test_several_series_are_listed(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, description="portal\r\nvenous", series=1)
    write_series(block_image()[:, :, :5], tmp_path, description="arterial", series=2)
    with pytest.raises(InputError, match="has 2 CT series, expected one: ") as caught:
        read(tmp_path)
    message = str(caught.value)
    assert "1.2.826.0.1.3680043.2.1125.9.1 (portal venous, 34 slices, 5 mm apart); " in message
    assert f"{SECOND} (arterial, 5 slices, 5 mm apart); choose one by its UID (--series UID" in message
    assert "\n" not in message


def test_a_series_is_chosen_by_its_uid(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, series=1)
    write_series(block_image()[:, :, :5], tmp_path, series=2)
    np.testing.assert_array_equal(read(tmp_path, series=SECOND).array, block_array()[:5])
    with pytest.raises(
        InputError, match=r"has no CT series \"1\.2\.3\", only 1\.2\.826.*; give one of these"
    ):
        read(tmp_path, series="1.2.3")


def test_a_series_of_an_image_file(tmp_path: Path) -> None:
    import SimpleITK as sitk

    sitk.WriteImage(block_image(), str(tmp_path / "ct.nii.gz"))
    with pytest.raises(InputError, match=r"A DICOM series was chosen, but .*ct\.nii\.gz is no DICOM file"):
        read(tmp_path / "ct.nii.gz", series="1.2.3")


def _localizer(path: Path, series: int) -> None:
    dataset = ct_slice(block_image(), 0, "scout", series)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    set_hu(dataset, block_array()[:, :, 9])
    dataset.save_as(path)


def test_localizer_in_the_series(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    _localizer(tmp_path / "scout.dcm", 1)
    (message,) = check(read(tmp_path), "localizers-left-out")
    assert message == f"{tmp_path} has localizers in its series, which were left out: scout.dcm."


def test_localizer_in_a_series_of_its_own(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    _localizer(tmp_path / "scout.dcm", 2)
    (message,) = check(read(tmp_path), "series-left-out")
    assert f"{SECOND} (scout, localizers only)" in message


def test_localizers_only(tmp_path: Path) -> None:
    _localizer(tmp_path / "scout.dcm", 1)
    with pytest.raises(InputError, match="has localizers only, expected the slices of a CT"):
        read(tmp_path)


def test_a_localizer_and_a_single_slice(tmp_path: Path) -> None:
    ct_slice(block_image(), 0, "single").save_as(tmp_path / "single.dcm")
    _localizer(tmp_path / "scout.dcm", 2)
    with pytest.raises(InputError, match=r"has no CT series of several slices, only .*\(scout, localizers"):
        read(tmp_path)


def test_picture_of_the_dose_report(tmp_path: Path) -> None:
    """A screen capture that calls itself CT, without a place in the patient."""
    write_series(block_image(), tmp_path)
    dataset = ct_slice(block_image(), 0, "dose report", 2)
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    dataset.save_as(tmp_path / "report.dcm")
    check(read(tmp_path), "series-left-out")


def test_copied_slices(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    shutil.copy(tmp_path / "1-004.dcm", tmp_path / "1-004 (copy).dcm")
    other = dcmread(tmp_path / "1-007.dcm")
    other.SOPInstanceUID = "1.2.3"  # as an archive that sends the slice again
    other.save_as(tmp_path / "again.dcm")
    (message,) = check(read(tmp_path), "duplicates-left-out")
    assert message.startswith(f"The 36 slices in {tmp_path} include 2 duplicates, which were left out: 1-004")


def test_copies_and_phases_in_the_list_of_series(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    shutil.copy(tmp_path / "1-004.dcm", tmp_path / "1-004 (copy).dcm")
    for phase in (1, 2):

        def change(number: int, dataset: Dataset, phase: int = phase) -> None:
            dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID}.{phase}"

        write_series(block_image(), tmp_path / str(phase), series=2, change=change)
    with pytest.raises(InputError, match="has 2 CT series") as caught:
        read(tmp_path)
    for listed in (
        "9.1 (no description, 34 slices, 5 mm apart)",
        "9.2 (no description, 68 slices, 5 mm apart)",
    ):
        assert listed in str(caught.value)


def test_one_uid_for_all_slices(tmp_path: Path) -> None:
    """As a careless anonymizer writes them: the positions tell them apart."""

    def change(number: int, dataset: Dataset) -> None:
        dataset.SOPInstanceUID = "1.2.3"

    write_series(block_image(), tmp_path, change=change)
    check(read(tmp_path))


def test_slices_in_subfolders(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "a")
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("1-003.dcm", "1-020.dcm"):
        (tmp_path / "a" / name).rename(tmp_path / "b" / "c" / name)
    check(read(tmp_path))


def test_files_of_other_kinds(tmp_path: Path) -> None:
    """What is no DICOM does not matter, unless its name says that it should be."""
    write_series(block_image(), tmp_path)
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "Thumbs.db").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "broken").symlink_to("nowhere")
    check(read(tmp_path))
    (tmp_path / "1-034.dcm").touch()
    (message,) = check(read(tmp_path), "damaged-files")
    assert message == (
        f"{tmp_path} has files that cannot be read as DICOM images, which were left out: 1-034.dcm; copy "
        "them again."
    )


@pytest.mark.parametrize("keep", [300, 500])
def test_a_slice_that_ends_in_its_header(keep: int, tmp_path: Path) -> None:
    """It leaves no gap, as the last slice."""
    write_series(block_image(), tmp_path)
    last = tmp_path / "1-033.dcm"
    last.write_bytes(last.read_bytes()[:keep])
    scan = read(tmp_path)
    assert len(scan.array) == 33
    (warning,) = scan.warnings
    assert warning.code == "damaged-files" and "which were left out: 1-033.dcm; copy" in warning.message


def test_links_to_folders(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "store")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "series").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "up").symlink_to(tmp_path / "study")
    check(read(tmp_path / "study"))


def test_files_of_macos(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    (tmp_path / "._1-003.dcm").write_bytes(b"\0\5\x16\7" * 20)
    check(read(tmp_path))


def test_a_pipe_in_the_folder(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    os.mkfifo(tmp_path / "1-034.dcm")
    check(read(tmp_path))


def test_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ct.nii")
    with pytest.raises(InputError, match=r"ct\.nii is a pipe or a device, expected a file or a folder"):
        read(tmp_path / "ct.nii")


def test_no_ct(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no DICOM files; give a folder with the slices of a CT series"):
        read(tmp_path)
    shutil.copy(SAMPLES / "MR_small.dcm", tmp_path)
    _other(tmp_path / "dose.dcm", RTDoseStorage, "RTDOSE")
    with pytest.raises(
        InputError, match=r"has no grey images of CT, only MR \(1 file\), RTDOSE \(1 file\); give"
    ):
        read(tmp_path)


def test_ct_without_grey_pixels(tmp_path: Path) -> None:
    dataset = ct_slice(block_image(), 0)
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "RGB", 3
    dataset.save_as(tmp_path / "colour.dcm")
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(dataset, keyword)
    dataset.save_as(tmp_path / "header.dcm")
    found = r"only CT in colour \(1 file\), CT without pixels \(1 file\); give"
    with pytest.raises(InputError, match=found):
        read(tmp_path)


def test_series_without_its_uids(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        dataset.SOPClassUID = dataset.SOPInstanceUID = dataset.SeriesInstanceUID = ""
        del dataset.Modality

    write_series(block_image(), tmp_path, change=change)
    check(read(tmp_path))


def test_enhanced_ct_in_several_files(tmp_path: Path) -> None:
    for name, order in (("a", range(0, 34, 2)), ("b", range(1, 34, 2))):
        enhanced_ct(block_image(), order).save_as(tmp_path / f"{name}.dcm")
    check(read(tmp_path))


@pytest.mark.parametrize("given", ["file", "folder"])
def test_dicomdir(given: str, tmp_path: Path) -> None:
    file = write_disk(tmp_path / "disk", block_image())
    check(read(file if given == "file" else file.parent))


def test_dicomdir_with_missing_files(tmp_path: Path) -> None:
    file = write_disk(tmp_path / "disk", block_image())
    last = max(dcmread(path).InstanceNumber for path in _images(file.parent))
    for path in _images(file.parent):
        if dcmread(path).InstanceNumber == last:
            path.unlink()
    (warning,) = read(file).warnings
    assert warning.code == "missing-files"
    assert "lists 1 image more than there are" in warning.message


def _images(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "DICOMDIR"]
