"""NRRD, with voxels in the file or beside it, against SimpleITK and pynrrd."""

from __future__ import annotations

import bz2
import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import nrrd
from support.text_headers import NO_PLACE, NRRD, VOXELS, write_nrrd

from fuzz import text_headers
from fuzz.files import packed
from fuzz.scans import Reading, check_file
from fuzz.simple_itk import by_simple_itk

PACKAGES = ("efficientscn_trt.io.nrrd", "efficientscn_trt.io")
_MORE: dict[str, Any] = {
    "spacings": "1.5 2 3",
    "axis mins": "0 0 0",
    "thicknesses": "1 2 3",
    "space units": '"mm" "mm" "mm"',
    "units": '"mm" "cm" "m"',
    "measurement frame": "(1,0,0) (0,1,0) (0,0,1)",
    "space dimension": "3",
    "line skip": "1",
    "byte skip": "-1",
    "data file": "ct%02d.raw 1 3 1",
    "block size": "2",
    "min": "-1000",
    "old min": "0",
    "content": "CT",
    "centers": "cell cell cell",
    "labels": '"x" "y" "z"',
    "key:=value": "1",
}
_WORDS = [
    *text_headers.words_of(NRRD, _MORE),
    *(
        "gzip",
        "bzip2",
        "hex",
        "ascii",
        "float",
        "double",
        "uint16",
        "int64",
        "block",
        "big",
        "none",
        "3-color",
    ),
    *("right-anterior-superior", "LPS", "scanner-xyz", "3D-right-handed", "left-posterior-superior-time"),
    *("nan nan nan", "(1,0,0)", "(0,0,0)", "(nan,0,1)", "LIST", "um", "m", "cm", "???"),
]


def seeds() -> Iterator[bytes]:
    voxels = VOXELS.tobytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ct.nrrd")
        cases: list[tuple[dict[str, Any], bytes]] = [
            ({}, voxels),
            (NO_PLACE | {"spacings": "1.5 2 3"}, voxels),
            ({"endian": "big", "space": "RAS"}, VOXELS.byteswap().tobytes()),
            ({"encoding": "gzip"}, gzip.compress(voxels, 1, mtime=0)),
            ({"encoding": "bzip2"}, bz2.compress(voxels)),
            ({"encoding": "hex"}, voxels.hex().encode()),
            ({"encoding": "text"}, " ".join(map(str, VOXELS.reshape(-1))).encode()),
            ({"space units": '"cm" "mm" "m"'}, voxels),
            ({"type": "float"}, VOXELS.astype("<f4").tobytes()),
            ({"byte skip": "-1"}, b"something " + voxels),
            ({"line skip": "2"}, b"two\nlines\n" + voxels),
            (
                {
                    "dimension": "4",
                    "sizes": "7 5 6 1",
                    "kinds": "domain domain domain list",
                    "space directions": f"{NRRD['space directions']} none",
                },
                voxels,
            ),
        ]
        for changes, content in cases:
            yield write_nrrd(path, changes, content).read_bytes()
        header = {"data file": "ct.raw"}
        yield packed({"ct.nhdr": write_nrrd(path, header, b"").read_bytes(), "ct.raw": voxels})
        header = {"data file": "ct%d.raw 1 6 1"}
        parts = {f"ct{number}.raw": each.tobytes() for number, each in enumerate(VOXELS, 1)}
        yield packed({"ct.nhdr": write_nrrd(path, header, b"").read_bytes()} | parts)
        header = {"data file": "LIST"}
        names = "".join(f"{name}\n" for name in parts).encode()
        listed = write_nrrd(path, header, b"").read_bytes().removesuffix(b"\n") + names
        yield packed({"ct.nhdr": listed} | parts)


def mutate(data: bytes, random: Random) -> bytes:
    return text_headers.mutate(data, random, b"\n\n", ": ", _WORDS)


def check(data: bytes) -> None:
    check_file(data, "ct.nrrd", _by_others)


def _by_others(path: Path) -> Reading | None:
    found = by_simple_itk(path)
    if found:
        return found
    try:
        values, _ = nrrd.read(str(path))
    except (nrrd.NRRDError, ValueError, LookupError, TypeError, OSError):
        return None  # such as voxels in hexadecimal digits in a space that SimpleITK does not know
    return values.squeeze(), None
