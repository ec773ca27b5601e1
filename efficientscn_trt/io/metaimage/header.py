"""The header of a MetaImage: lines of a name and a value.

Source of names and values: itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ...triples import Size
from ..plausibility import check_shape
from ..wording import counted, one_line

_LONGEST = 1 << 20  # bytes of a header
_LINE = re.compile(rb"[ \t]*([A-Za-z][\w\[\] .-]*?)[ \t]*[=:][ \t]*([^\n]*?)[ \t\r]*\n")
LAST = "ElementDataFile"


@dataclass(frozen=True)
class MetaImageHeader:
    """A checked header: its values by name.

    `listed` has the names of files behind its last line, `bytes` is its length, `axes` is its NDims.
    """

    path: Path
    values: dict[str, str]
    listed: tuple[str, ...]
    bytes: int
    axes: int
    size: Size

    def numbers(self, *names: str, count: int) -> list[float] | None:
        """The numbers of the first of these names that the header has. None if it has none.

        Raises InputError if there are not so many.
        """
        name = next((name for name in names if name in self.values), None)
        if name is None:
            return None
        return _numbers(self.path, name, self.values[name], count)

    def says(self, *names: str) -> bool:
        """Whether one of these names has the value True."""
        return any(self.values.get(name, "").lower() in ("true", "t", "1", "yes") for name in names)


def parse(path: Path) -> MetaImageHeader:
    """The header at `path`.

    Raises InputError if it does not describe one volume with one value per voxel.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST)
    values: dict[str, str] = {}
    end = 0
    for name, value, end in _lines(head):  # noqa: B007
        values[name] = value
        if name == LAST:
            break
    missing = [name for name in ("NDims", "DimSize", "ElementType", LAST) if name not in values]
    if missing:
        raise InputError(
            f"The header of {path} is damaged: it lacks {', '.join(missing)}; copy or download it again."
        )
    (count,) = _whole(path, "NDims", values["NDims"], 1)
    if not 1 <= count <= 10:
        raise InputError(f"The header of {path} announces {count} dimensions, expected 3; save it again.")
    sizes = _whole(path, "DimSize", values["DimSize"], count)
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    (channels,) = _whole(path, "ElementNumberOfChannels", values.get("ElementNumberOfChannels", "1"), 1)
    check_shape(str(path), sizes, channels)
    x, y, z = sizes
    listed: tuple[str, ...] = ()
    if values[LAST].split()[:1] == ["LIST"]:
        listed = tuple(
            line.strip() for line in head[end:].decode(errors="replace").splitlines() if line.strip()
        )
    return MetaImageHeader(path, values, listed, end, count, (x, y, z))


def _lines(head: bytes) -> Iterator[tuple[str, str, int]]:
    """The name and the value in each line, and where the line ends. Stops at the first of another form."""
    end = 0
    while line := _LINE.match(head, end):
        end = line.end()
        yield line[1].decode(errors="replace"), line[2].decode(errors="replace"), end


def _numbers(path: Path, name: str, value: str, count: int) -> list[float]:
    try:
        found = [float(number) for number in value.split()]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise InputError(
            f"The header of {path} has {name} = {one_line(value)}, expected {counted(count, 'number')}; save "
            "it again."
        )
    return found


def _whole(path: Path, name: str, value: str, count: int) -> list[int]:
    found = _numbers(path, name, value, count)
    if any(number != int(number) for number in found):
        raise InputError(
            f"The header of {path} has {name} = {one_line(value)}, expected whole numbers; save it again."
        )
    return [int(number) for number in found]
