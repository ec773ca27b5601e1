"""The header of an NRRD file, as pynrrd understands it, with checks.

Source of fields, types and encodings: teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nrrd
import numpy as np

from ...errors import InputError
from ...triples import Size
from ..detached import numbered, parts_of
from ..plausibility import check_shape
from ..stored import StoredVoxels
from ..wording import excerpt, listed
from .lines import damaged, read_lines

_TYPES = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
_DTYPES = {name: np.dtype(code) for code, names in _TYPES.items() for name in names.split(", ")}
_ALIASES = {"gz": "gzip", "bz2": "bzip2", "txt": "text", "ascii": "text"}
_ENCODINGS = {**{name: name for name in ("raw", "hex", "gzip", "bzip2", "text")}, **_ALIASES}
_BYTE_ORDERS = {"little": "<", "big": ">"}
_DOMAIN = ("domain", "space", "???", "none")  # kinds of axes that may run through space


@dataclass(frozen=True)
class NrrdHeader:
    """A checked header: fields as pynrrd has them and as they are written, and the axes of the volume."""

    path: Path
    fields: dict[str, Any]
    written: dict[str, str]
    axes: tuple[int, ...]
    stored: StoredVoxels


def parse(path: Path) -> NrrdHeader:
    """The header at `path`.

    Raises InputError if it does not describe one volume with one value per voxel.
    """
    written, names, end = read_lines(path)
    try:
        shape = [_size(word) for word in written["sizes"].split()]
        if written["dimension"] != str(len(shape)):
            raise ValueError(f"{written['dimension']} dimensions, but {len(shape)} sizes")
        kinds = written.get("kinds", " domain" * len(shape)).lower().split()
        if len(kinds) != len(shape):
            raise ValueError(f"{len(shape)} sizes, but {len(kinds)} kinds")
        # pynrrd would take keys for fields, so it gets only the fields that are needed.
        fields = dict(nrrd.read_header(["NRRD0005", *(f"{name}: {text}" for name, text in written.items())]))
    except (nrrd.NRRDError, ValueError, LookupError, TypeError, OverflowError) as error:
        reason = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise damaged(path, reason) from error
    axes, size = _volume(path, kinds, shape)
    return NrrdHeader(path, fields, written, axes, _stored(path, fields, size, names, end))


def _size(word: str) -> int:
    if not word.isdecimal() or len(word) > 9:
        raise ValueError(f"the size {word[:20]}")
    return int(word)


def _volume(path: Path, kinds: list[str], shape: list[int]) -> tuple[tuple[int, ...], Size]:
    """The axes that run through space, and their sizes. Others may have one entry."""
    axes = [axis for axis, kind in enumerate(kinds) if kind in _DOMAIN]
    while len(axes) > 3 and shape[axes[-1]] == 1:
        axes.pop()
    others = [shape[axis] for axis in range(len(shape)) if axis not in axes]
    sizes = [shape[axis] for axis in axes]
    check_shape(str(path), sizes, math.prod(others))
    x, y, z = sizes
    return tuple(axes), (x, y, z)


def _stored(path: Path, fields: dict[str, Any], size: Size, names: list[str], end: int) -> StoredVoxels:
    encoding = _one_of(path, "encoding", fields.get("encoding"), _ENCODINGS)
    dtype = _one_of(path, "type", fields.get("type"), _DTYPES)
    if encoding != "text" and dtype.itemsize > 1:
        dtype = dtype.newbyteorder(_one_of(path, "endian", fields.get("endian"), _BYTE_ORDERS))
    lines, skip = int(fields.get("line skip", 0)), int(fields.get("byte skip", 0))
    if lines < 0 or skip < -1 or (skip == -1 and encoding != "raw"):
        raise InputError(
            f"The header of {path} skips {lines} lines and {skip} bytes, expected 0 or more; save it again."
        )
    if name := fields.get("data file"):
        names = numbered(name)
    parts = parts_of(path, names, size, offset=0 if names else end, lines=lines)
    stored = StoredVoxels(parts, size, dtype, encoding, max(skip, 0))
    return stored.at_the_end() if skip == -1 else stored


def _one_of(path: Path, name: str, value: Any, known: dict[str, Any]) -> Any:
    """What `value` of the field `name` means."""
    found = str(value).lower()
    if found in known:
        return known[found]
    raise InputError(
        f"The header of {path} has the {name} {excerpt(found)!r}, expected one of {listed(known)}; save "
        "it again."
    )
