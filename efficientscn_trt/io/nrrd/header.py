"""The header of an NRRD file, as pynrrd understands it, with checks.

Source of fields, types and encodings: teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import math
import re
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
from ..streams import TEXT
from ..wording import one_line

_LONGEST = 1 << 20  # bytes of a header
_NAME = re.compile(r"^[^:=#]+(?=:(?!=))")  # of a field; a key has "=" behind the colon
_IN_VECTOR = re.compile(r"\s+(?=[^()]*\))")  # spaces, which pynrrd does not expect
_END = re.compile(rb"\r?\n\r?\n")
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
_ENCODINGS = {
    **{name: name for name in ("raw", "hex", "gzip", "bzip2", "text")},
    "gz": "gzip",
    "bz2": "bzip2",
    "txt": "text",
    "ascii": "text",
}
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
    lines, end = _lines(path)
    names: list[str] = []
    for number, line in enumerate(lines):
        name, _, value = line.partition(":")
        if name in ("data file", "datafile") and value.split()[:1] == ["LIST"]:
            lines, names = lines[:number], [name.strip() for name in lines[number + 1 :] if name.strip()]
            break
    try:
        fields = dict(nrrd.read_header(lines))
        shape = [int(n) for n in fields["sizes"]]
        if fields["dimension"] != len(shape):
            raise ValueError(f"{fields['dimension']} dimensions, but {len(shape)} sizes")
    except (nrrd.NRRDError, ValueError, LookupError, TypeError, OverflowError) as error:
        reason = f"the field {error} is missing" if isinstance(error, KeyError) else one_line(str(error))
        raise InputError(
            f"The header of {path} is damaged or no NRRD header ({reason}); copy or download it again."
        ) from error
    axes, size = _volume(path, fields, shape)
    written = {}
    for line in lines[1:]:
        if found := _NAME.match(line):
            written[found[0].strip()] = line[found.end() + 1 :].strip()
    return NrrdHeader(path, fields, written, axes, _stored(path, fields, size, names, end))


def _lines(path: Path) -> tuple[list[str], int]:
    """The lines of the header, with the names of fields in lower case, and how many bytes it has."""
    with path.open("rb") as file:
        head = file.read(_LONGEST)
    end = _END.search(head)
    text = (head[: end.start()] if end else head).decode(errors="replace")
    lines = [_NAME.sub(lambda name: name[0].lower(), line, count=1) for line in text.splitlines()]
    lines = [_IN_VECTOR.sub("", line) if line.startswith("space ") else line for line in lines]
    return lines, end.end() if end else len(head)


def _volume(path: Path, fields: dict[str, Any], shape: list[int]) -> tuple[tuple[int, ...], Size]:
    """The axes that run through space, and their sizes. Others may have one entry."""
    kinds = [str(kind).lower() for kind in fields.get("kinds", ())] or ["domain"] * len(shape)
    axes = [axis for axis in range(len(shape)) if kinds[axis : axis + 1] and kinds[axis] in _DOMAIN]
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
    if encoding == "text":
        dtype = TEXT
    elif dtype.itemsize > 1:
        dtype = dtype.newbyteorder(_one_of(path, "endian", fields.get("endian"), _BYTE_ORDERS))
    lines, skip = (int(fields.get(f"{what} skip", fields.get(f"{what}skip", 0))) for what in ("line", "byte"))
    if lines < 0 or skip < -1 or (skip == -1 and encoding != "raw"):
        raise InputError(
            f"The header of {path} skips {lines} lines and {skip} bytes, expected 0 or more; save it again."
        )
    if name := fields.get("data file", fields.get("datafile")):
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
        f"The header of {path} has the {name} {one_line(found)!r}, expected one of {', '.join(known)}; save "
        "it again."
    )
