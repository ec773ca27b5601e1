"""MetaImage, with voxels in the file or beside it, against SimpleITK."""

from __future__ import annotations

import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from support.text_headers import METAIMAGE, VOXELS, write_metaimage

from fuzz import text_headers
from fuzz.files import packed
from fuzz.scans import Reading, check_file
from fuzz.simple_itk import by_simple_itk

PACKAGES = ("efficientscn_trt.io.metaimage", "efficientscn_trt.io")
_MORE: dict[str, Any] = {
    "Comment": "CT",
    "TransformType": "Affine",
    "Position": "0 0 0",
    "Origin": "1 2 3",
    "Orientation": "0 1 0 1 0 0 0 0 1",
    "Rotation": "1 0 0 0 1 0 0 0 1",
    "CenterOfRotation": "0 0 0",
    "AnatomicalOrientation": "RAI",
    "DistanceUnits": "cm",
    "HeaderSize": "-1",
    "Modality": "MET_MOD_CT",
    "ElementNumberOfChannels": "1",
    "ElementSize": "1 2 3",
    "ElementByteOrderMSB": "True",
    "ElementToIntensityFunctionSlope": "2",
    "ElementToIntensityFunctionOffset": "-1024",
    "CompressedDataSize": "300",
    "ElementMin": "0",
    "ElementMax": "100",
    "CompressionLevel": "2",
}
_TYPES = ("CHAR", "UCHAR", "USHORT", "INT", "UINT", "LONG", "LONG_LONG", "FLOAT", "DOUBLE", "SHORT_ARRAY")
_WORDS = [
    *text_headers.words_of(METAIMAGE, _MORE),
    *(f"MET_{name}" for name in _TYPES),
    *("True", "False", "LIST", "LOCAL", "ct%d.raw 1 6 1", "ElementDataFile", "LPS", "???", "um", "m"),
]
_COMPRESSED = re.compile(rb"CompressedData\s*[=:]\s*[Tt1]")
_SIZE = re.compile(rb"CompressedDataSize\s*[=:]\s*(\d+)")
_LOCAL = re.compile(rb"ElementDataFile[ \t]*[=:][ \t]*LOCAL[ \t]*\r?\n")
_TEXT = re.compile(rb"BinaryData\s*[=:]\s*[Ff0Nn]")
_BIG_ENDIAN = re.compile(rb"ByteOrderMSB\s*[=:]\s*[Tt1Yy]")


def seeds() -> Iterator[bytes]:
    voxels = VOXELS.tobytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ct.mha")
        compressed = zlib.compress(voxels, 1)
        cases: list[tuple[dict[str, Any], bytes]] = [
            ({}, voxels),
            ({"BinaryDataByteOrderMSB": "True"}, VOXELS.byteswap().tobytes()),
            ({"CompressedData": "True", "CompressedDataSize": len(compressed)}, compressed),
            ({"BinaryData": "False"}, " ".join(map(str, VOXELS.reshape(-1))).encode()),
            ({"ElementType": "MET_FLOAT"}, VOXELS.astype("<f4").tobytes()),
            ({"HeaderSize": "-1"}, b"something " + voxels),
            ({"TransformMatrix": "0 1 0 1 0 0 0 0 -1"}, voxels),
            ({"AnatomicalOrientation": "RAI", "Offset": None, "Position": "1 2 3"}, voxels),
            (
                {
                    "NDims": "4",
                    "DimSize": "7 5 6 1",
                    "ElementSpacing": "1.5 2 3 1",
                    "Offset": "1 2 3 4",
                    "TransformMatrix": "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
                },
                voxels,
            ),
        ]
        for changes, content in cases:
            yield write_metaimage(path, changes, content).read_bytes()
        parts = {f"ct{number}.raw": each.tobytes() for number, each in enumerate(VOXELS, 1)}
        for name, files in [
            ("ct.raw", {"ct.raw": voxels}),
            ("ct%d.raw 1 6 1", parts),
            ("\n".join(["LIST", *parts]), parts),
        ]:
            header = write_metaimage(path, {"ElementDataFile": name}, b"").read_bytes()
            yield packed({"ct.mhd": header} | files)


def mutate(data: bytes, random: Random) -> bytes:
    end = b"LOCAL\n" if b"LOCAL\n" in data else b"\n"
    return text_headers.mutate(data, random, end, " = ", _WORDS)


def check(data: bytes) -> None:
    check_file(data, "ct.mha", _by_simple_itk)


def _by_simple_itk(path: Path) -> Reading | None:
    header, *voxels = _LOCAL.split(path.read_bytes(), maxsplit=1)
    size = _SIZE.search(header)
    if _COMPRESSED.search(header) and (size is None or int(size[1]) != len(b"".join(voxels))):
        return None  # SimpleITK returns what is in its memory
    if _TEXT.search(header) and _BIG_ENDIAN.search(header):
        return None  # SimpleITK exchanges the bytes of numbers that it read as text
    return by_simple_itk(path)
