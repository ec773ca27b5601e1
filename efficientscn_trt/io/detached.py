"""The files with voxels that a header of NRRD or MetaImage names, and where voxels begin in them."""

from __future__ import annotations

import math
import os.path
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from .stored import Part

_NUMBER = r"\s+(-?\d{1,9})"
_SERIES = re.compile(rf"(?P<name>\S.*?){_NUMBER}{_NUMBER}{_NUMBER}(?:\s+\d+)?")
_PLACE = re.compile(r"%0?\d{0,2}d")  # of the number
_MOST_FILES, _LONGEST, _LONGEST_LINE = 1 << 16, 1 << 12, 1 << 20


def numbered(name: str, most: int | None = None) -> list[str]:
    """The names that a pattern stands for, such as "ct%03d.raw 1 60 1": the first, the last, the step.

    If it has no numbers, they are 1, `most` and 1, unless that is None.
    """
    place = _PLACE.search(name)
    series = _SERIES.fullmatch(name) if len(name) <= _LONGEST else None
    if place is None or (series is None and most is None):
        return [name]
    first, last, step = map(int, series.groups()[1:]) if series else (1, most or 1, 1)
    before, after = name[: place.start()], (series["name"] if series else name)[place.end() :]
    numbers = range(first, last + (1 if step > 0 else -1), step) if step else range(0)
    return [f"{before}{place[0] % number}{after}" for number in numbers[:_MOST_FILES]]


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
    if not lines or not os.path.isfile(file):  # which is refused when it is read
        return offset
    with file.open("rb") as stream:
        stream.seek(offset)
        for _ in range(lines):
            if not (line := stream.readline(_LONGEST_LINE)):
                break
            if len(line) == _LONGEST_LINE:
                raise InputError(
                    f"{file} has a line of more than {_LONGEST_LINE} bytes to skip; save it again."
                )
        return stream.tell()
