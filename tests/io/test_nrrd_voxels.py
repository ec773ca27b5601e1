"""The voxels of NRRD as text, in several files, at the end of one, and damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from support.text_headers import VOXELS, write_nrrd

from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read


@pytest.mark.parametrize("words", ["1_0 " * 210, "0" * 60000 + " 1" * 209, "1 x " * 105, "1 " * 209])
def test_text_that_is_no_voxels(words: str, tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"encoding": "text"}, words.encode())
    with pytest.raises(
        InputError, match=r"is damaged or cut short \(text: not all are numbers\)|is cut short"
    ):
        read(path)


@pytest.mark.parametrize("encoding", ["ascii", "txt", "text", "hex"])
@pytest.mark.parametrize("separator", [" ", "\n", ", "])
def test_voxels_as_text(encoding: str, separator: str, tmp_path: Path) -> None:
    text = separator.join(map(str, VOXELS.ravel()))
    if encoding == "hex":
        text = VOXELS.tobytes().hex(" ", 20)
    path = write_nrrd(tmp_path / "ct.nrrd", {"encoding": encoding}, text.encode())
    np.testing.assert_array_equal(read(path).array, VOXELS)


@pytest.mark.parametrize(
    "name",
    ["LIST\na.raw\nb.raw\nc.raw", "LIST 2\na.raw\nb.raw\nc.raw", "part%d.raw 1 3 1", "part%d.raw 1 3 1 2",
     "part%d.raw 3 1 -1"],
)  # fmt: skip
def test_voxels_in_several_files(name: str, tmp_path: Path) -> None:
    for index, letter in enumerate("abc"):
        part = VOXELS[2 * index : 2 * index + 2]
        for file in (f"{letter}.raw", f"part{index + 1}.raw"):
            (tmp_path / file).write_bytes(b"line\n\xff\n" + gzip.compress(b"xyz" + part.tobytes()))
    path = write_nrrd(tmp_path / "ct.nhdr", {"encoding": "gzip", "line skip": 2, "byte skip": 3}, b"")
    content = path.read_text()
    path.write_text(content.rstrip("\n") + f"\ndata file: {name}\n")
    expected = VOXELS.reshape(3, 2, 5, 7)[::-1].reshape(6, 5, 7) if name.endswith("-1") else VOXELS
    np.testing.assert_array_equal(read(path).array, expected)


def test_voxels_at_the_end_of_a_file(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"byte skip": -1}, b"another header" * 30 + VOXELS.tobytes())
    image = read(path)
    np.testing.assert_array_equal(image.array, VOXELS)
    assert image.warnings == []


def test_a_bit_that_flipped(tmp_path: Path) -> None:
    """Only the checksum shows it."""
    content = bytearray(gzip.compress(VOXELS.tobytes(), compresslevel=0))
    content[len(content) // 2] ^= 4
    path = write_nrrd(tmp_path / "ct.nrrd", {"encoding": "gzip"}, bytes(content))
    with pytest.raises(InputError, match=r"ct\.nrrd is damaged or cut short \(gzip: CRC check failed"):
        read(path)


def test_more_than_the_file_can_hold(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"sizes": "60000 60000 60000", "encoding": "gzip"})
    with pytest.raises(InputError, match=r"is cut short: it has at most [\d,]+ bytes of voxels"):
        read(path)


def test_text_has_the_type_of_the_header(tmp_path: Path) -> None:
    words = " ".join(map(str, VOXELS.ravel() / 2)).encode()
    with pytest.raises(InputError, match=r"expected whole numbers of its type \(int16\)"):
        read(write_nrrd(tmp_path / "ct.nrrd", {"encoding": "text"}, words))
    image = read(write_nrrd(tmp_path / "ct.nrrd", {"encoding": "text", "type": "float"}, words))
    np.testing.assert_array_equal(image.array, (VOXELS / 2).astype(np.float32))
    assert image.array.dtype == np.float32
