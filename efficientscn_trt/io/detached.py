"""The files with voxels that a header of NRRD or MetaImage names, and where voxels begin in them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from .stored import Part

_SERIES = re.compile(
    r"(?P<name>.*%0?\d{0,2}d.*?)\s+(?P<first>-?\d+)\s+(?P<last>-?\d+)\s+(?P<step>-?\d+)(\s+\d+)?"
)
_MOST_FILES = 1 << 16


def numbered(name: str) -> list[str]:
    """The names that a pattern with its first, last and step stands for, such as "ct%03d.raw 1 60 1"."""
    series = _SERIES.fullmatch(name)
    if series is None or series["name"].count("%") > 1:
        return [name]
    first, last, step = (int(series[group]) for group in ("first", "last", "step"))
    numbers = range(first, last + (1 if step > 0 else -1), step) if step else range(0)
    return [series["name"] % number for number in numbers[:_MOST_FILES]]


def parts_of(
    header: Path, names: Sequence[str], size: Sequence[int], *, offset: int, lines: int = 0
) -> tuple[Part, ...]:
    """The files beside `header`, or that file itself if there are no `names`.

    Voxels begin so many `lines` behind byte `offset`. Raises InputError if files cannot have equal shares of
    the `size`.
    """
    files = [header.parent / name for name in names] or [header]
    if math.prod(size) % len(files):
        raise InputError(
            f"The header of {header} divides {math.prod(size):,} voxels among {len(files)} files, expected "
            "as many in each; save it again, as one file."
        )
    return tuple(Part(file, _behind_lines(file, offset, lines)) for file in files)


def _behind_lines(file: Path, offset: int, lines: int) -> int:
    if not lines or not file.is_file():  # which is refused when it is read
        return offset
    with file.open("rb") as stream:
        stream.seek(offset)
        for _ in range(lines):
            if not stream.readline():
                break
        return stream.tell()
