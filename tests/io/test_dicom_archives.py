"""A zip archive with a series is read whole, or refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from support.dicom import check, write_series
from support.scans import block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.dicom.archives import Member, opened_archive
from efficientscn_trt.io.reading import read


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_archive(compression: int, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "study" / "series")
    (tmp_path / "study" / "notes.txt").write_text("notes")
    _archive(tmp_path / "study", tmp_path / "study.zip", compression)
    check(read(tmp_path / "study.zip"))


def _archive(folder: Path, path: Path, compression: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("study/", "")  # a folder, as some programs list them
        for file in folder.rglob("*.*"):
            archive.write(file, file.relative_to(folder.parent))


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_zip_archive_that_is_cut_short(share: float, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "series")
    path = tmp_path / "study.zip"
    _archive(tmp_path / "series", path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match=r"study\.zip is damaged or cut short \(.*\); copy or download it"):
        read(path)


def test_zip_archive_with_a_flipped_bit(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "series")
    path = tmp_path / "study.zip"
    _archive(tmp_path / "series", path, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"(study\.zip is|1-0\d\d\.dcm are) .*damaged .*Bad CRC-32"):
        read(path)


def test_stored_member_is_checked_to_its_end(tmp_path: Path) -> None:
    """From Python 3.12 on, zipfile does not check one that pydicom has sought in."""
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("1.dcm", bytes(100_000))
    content = bytearray(path.read_bytes())
    content[90_000] ^= 4
    path.write_bytes(content)
    with opened_archive(path) as archive:
        [info] = archive.infolist()
        with pytest.raises(zipfile.BadZipFile, match="Bad CRC-32"):
            Member(archive, info).check()


@pytest.mark.parametrize("field", [28, 30, 32])  # the lengths of a name, an extra field and a comment
def test_zip_directory_whose_entry_swallows_others(field: int, tmp_path: Path) -> None:
    write_series(block_image()[:, :, :6], tmp_path / "series")
    path = tmp_path / "study.zip"
    _archive(tmp_path / "series", path)
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\1\2") + field] ^= 128
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"study\.zip is damaged or cut short \(.*\); copy or download it"):
        read(path)


def test_zip_archive_of_more_than_65535_files(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "series")
    path = tmp_path / "study.zip"
    _archive(tmp_path / "series", path)
    with zipfile.ZipFile(path, "a") as archive:
        for index in range(66_000):
            archive.writestr(str(index), b"")
    check(read(path))


@pytest.mark.parametrize(
    ("field", "value"),
    [(6, b"\x63\0"), (8, b"\0\x08"), (46, b"\0")],
    ids=["a later version", "a name that is not UTF-8", "a name that begins with NUL"],
)
def test_zip_archive_of_an_odd_directory(field: int, value: bytes, tmp_path: Path) -> None:
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.dcm", b"none")
    content = bytearray(path.read_bytes())
    begin = content.find(b"PK\1\2")
    content[begin + 46] = 0xFF
    content[begin + field : begin + field + len(value)] = value
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"study\.zip is damaged or cut short \(.*\); copy or download it"):
        read(path)


def test_zip_archive_without_dicom(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.writestr("notes.txt", "notes")
    with pytest.raises(InputError, match=r"study\.zip has no DICOM files; give"):
        read(tmp_path / "study.zip")


@pytest.mark.parametrize(("size", "refused"), [(1_000_000_000, False), (2_000_000_000, True)])
def test_zip_archive_that_unpacks_to_too_much(size: int, refused: bool, tmp_path: Path) -> None:
    """Each megabyte of such an archive could take seconds."""
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1_000_000))
    content = bytearray(path.read_bytes())
    place = content.find(b"PK\1\2") + 24  # the size in the directory, as zipfile takes it
    content[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    expected = rf"study\.zip has {len(content)} bytes, but unpacks to {size}, expected at most 100 times"
    with pytest.raises(InputError, match=expected if refused else r"study\.zip has no DICOM files"):
        read(path)


def test_encrypted_zip_archive(tmp_path: Path) -> None:
    write_series(block_image()[:, :, :2], tmp_path / "series")
    path = tmp_path / "study.zip"
    _archive(tmp_path / "series", path)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flags of each file
        start = content.find(signature)
        while start >= 0:
            content[start + offset] |= 1
            start = content.find(signature, start + 4)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"study\.zip is encrypted; unpack it, and give the folder"):
        read(path)
