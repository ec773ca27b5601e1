"""Small files that announce gigabytes are refused, or read, in little time and memory."""

from __future__ import annotations

import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset, uid
from pydicom.encaps import encapsulate
from support.dicom import ct_slice, only, set_compressed, write_series
from support.memory_limit import read_within
from support.scans import block_array, block_image
from support.text_headers import write_nrrd

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")

_STORED = (block_array() + 1024).astype(np.uint16)
_SIZES = {  # where a codestream has its size, behind a marker, and how it is written
    uid.JPEGLosslessSV1: (b"\xff\xc3", 5, ">HH"),
    uid.JPEGExtended12Bit: (b"\xff\xc1", 5, ">HH"),
    uid.JPEGLSLossless: (b"\xff\xf7", 5, ">HH"),
    uid.JPEG2000Lossless: (b"\xff\x51", 6, ">II"),
}
_ENCODERS: dict[str, Callable[[np.ndarray], Any]] = {
    uid.JPEGLosslessSV1: lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, bitspersample=12),
    uid.JPEGExtended12Bit: lambda pixels: imagecodecs.jpeg8_encode(pixels, level=100, bitspersample=12),
    uid.JPEGLSLossless: imagecodecs.jpegls_encode,
    uid.JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="J2K", level=0),
}


def _series(folder: Path, change: Callable[[int, Dataset], object]) -> Path:
    write_series(block_image(), folder, change=change)
    return folder


@pytest.mark.parametrize("syntax", _SIZES)
@pytest.mark.parametrize("every", [True, False])
def test_codestream_of_another_size(syntax: str, every: bool, tmp_path: Path) -> None:
    marker, offset, form = _SIZES[uid.UID(syntax)]
    size = 150_000 if form == ">II" else 60_000

    def compress(number: int, dataset: Dataset) -> None:
        content = bytearray(_ENCODERS[syntax](_STORED[number]))
        if every or number == 5:
            struct.pack_into(form, content, content.index(marker) + offset, size, size)
        set_compressed(dataset, syntax, encapsulate([bytes(content)]))

    said = read_within(_series(tmp_path / "ct", compress))
    assert f"(they decode to {size} × {size} pixels); copy the series again" in said


def test_run_lengths_of_more_than_the_pixels(tmp_path: Path) -> None:
    segment = b"\x81\0" * 5_000_000  # 128 zeros each
    header = struct.pack("<16I", 2, 64, 64 + len(segment), *[0] * 13)

    def compress(dataset: Dataset) -> None:
        set_compressed(dataset, uid.RLELossless, encapsulate([header + segment + segment]))

    said = read_within(_series(tmp_path / "ct", only(0, compress)))
    assert "damaged (they decode to more than their header describes)" in said


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.RLELossless])
def test_rows_and_columns_that_lie(syntax: uid.UID, tmp_path: Path) -> None:
    def lie(number: int, dataset: Dataset) -> None:
        dataset.Rows = dataset.Columns = 65535
        if syntax == uid.RLELossless:
            set_compressed(dataset, syntax, encapsulate([bytes(64)]))

    said = read_within(_series(tmp_path / "ct", lie))
    assert "but its header announces 8,589,672,450); copy the series again" in said


def test_frames_that_are_not_there(tmp_path: Path) -> None:
    dataset = ct_slice(block_image(), 0)
    dataset.NumberOfFrames = 100_000
    dataset.PerFrameFunctionalGroupsSequence = [Dataset() for _ in range(100_000)]
    dataset.save_as(tmp_path / "ct.dcm")
    assert "ct.dcm announces 100,000 frames, more than a file of its size" in read_within(tmp_path / "ct.dcm")


def _deflated(dataset: Dataset, behind: bytes, times: int) -> bytes:
    """The file of `dataset`, deflated, with so many times these bytes behind its pixels."""
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    content = stream.getvalue()
    length = struct.unpack("<I", content[140:144])[0]
    plain, deflated = str(uid.ExplicitVRLittleEndian), str(uid.DeflatedExplicitVRLittleEndian)
    old, new = plain.encode() + b"\0", deflated.encode()
    meta = content[144 : 144 + length].replace(struct.pack("<H", len(old)) + old, struct.pack("<H", 22) + new)
    begin = content[:140] + struct.pack("<I", len(meta)) + meta
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflater.compress(content[144 + length :])
    body += b"".join(deflater.compress(behind) for _ in range(times))
    return begin + body + deflater.flush()


def test_deflated_files_are_read(tmp_path: Path) -> None:
    for number in range(len(block_array())):
        content = _deflated(ct_slice(block_image(), number), b"", 0)
        (tmp_path / f"{number}.dcm").write_bytes(content)
    assert read_within(tmp_path) == "read 34 45 57 []"


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (bytes(1 << 24), "elements of the header come after them"),
        (struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, (1 << 24) - 12) + bytes((1 << 24) - 12), "read 34"),
    ],
    ids=["zeros", "padding"],
)
def test_a_deflated_bomb(behind: bytes, said: str, tmp_path: Path) -> None:
    """640 MB behind the pixels of one slice."""
    _series(tmp_path / "ct", lambda number, dataset: None)
    bomb = _deflated(ct_slice(block_image(), 0), behind, 40)
    sorted((tmp_path / "ct").iterdir())[0].write_bytes(bomb)
    assert said in read_within(tmp_path / "ct", 400)


def test_an_element_of_gigabytes_in_a_zip_archive(tmp_path: Path) -> None:
    _series(tmp_path / "ct", lambda number, dataset: None)
    files = sorted((tmp_path / "ct").iterdir())
    content = files[0].read_bytes()
    place = content.index(b"\x08\x00\x60\x00CS") + 10
    with zipfile.ZipFile(tmp_path / "ct.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files[1:]:
            archive.write(file, file.name)
        with archive.open("first.dcm", "w", force_zip64=True) as member:
            element = struct.pack("<HH2sHI", 8, 0x103E, b"UN", 0, 30 << 24)
            member.write(content[:place] + element)
            for _ in range(30):
                member.write(bytes(1 << 24))
            member.write(content[place:])
    assert read_within(tmp_path / "ct.zip").startswith("read 34 45 57")


def test_a_position_of_millions_of_numbers(tmp_path: Path) -> None:
    def spoil(dataset: Dataset) -> None:
        dataset.add_new(0x00200032, "UT", "1\\" * (6 << 20))

    said = read_within(_series(tmp_path / "ct", only(3, spoil)))
    assert "lacks a usable position" in said


def test_more_text_than_voxels(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"encoding": "text"}, b"10 " * 20_000_000)
    assert "has more voxels than its header describes" in read_within(path, 100)


def test_a_line_of_gigabytes(tmp_path: Path) -> None:
    with (tmp_path / "ct.raw").open("wb") as file:
        file.truncate(8 << 30)
    path = write_nrrd(tmp_path / "ct.nhdr", {"data file": "ct.raw", "line skip": 1}, b"")
    assert "has a line of more than 1048576 bytes to skip" in read_within(path)
