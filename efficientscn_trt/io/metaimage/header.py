"""The header of a MetaImage: lines of a name and a value.

Source of names and values: itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ...triples import Size
from ..plausibility import check_shape
from ..wording import counted, excerpt

_LONGEST = 1 << 20  # bytes of a header
_MARK = b"\xef\xbb\xbf"  # of UTF-8
_SEPARATOR = re.compile("[=:]")
_SPACE = " \t\r\n"  # others are part of a name in other programs
_CONTROL = re.compile(rb"[^\t\n -\xff]|\x7f")
_TRUE, _FALSE = ("true", "t", "1", "yes"), ("false", "f", "0", "no")
_LARGEST = 2**31  # number that is whole
LAST = "ElementDataFile"
_ONCE = (
    *("NDims", "DimSize", "ElementType", "ElementNumberOfChannels", "ElementSpacing", "ElementSize"),
    *("TransformMatrix", "Rotation", "Orientation", "Offset", "Position", "Origin", "HeaderSize"),
    *("BinaryData", "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "CompressedData", "DistanceUnits"),
)

#: How many numbers the fields have that not every scan depends on, 0: one an axis. If they lack some, MetaIO
#: takes them from the next lines, and misses what these say.
_COUNTS = {
    **dict.fromkeys(("ElementMin", "ElementMax", "ElementNBits", "ID", "ParentID"), 1),
    **dict.fromkeys(("CompressedDataSize", "CompressionLevel"), 1),
    **dict.fromkeys(("ElementSize", "CenterOfRotation", "SequenceID"), 0),
    "Color": 4,
}


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
        """The numbers of the one of these names that the header has. None if it has none.

        Raises InputError if there are not so many.
        """
        name = self._one_of(names)
        return None if name is None else _numbers(self.path, name, self.values[name], count)

    def says(self, *names: str) -> bool:
        """Whether the one of these names that the header has is True. Raises InputError if it is neither."""
        name = self._one_of(names)
        value = "false" if name is None else self.values[name].lower()
        if value not in (*_TRUE, *_FALSE):
            raise InputError(
                f"The header of {self.path} has {name} = {excerpt(value)}, expected True or False; save it "
                "again."
            )
        return value in _TRUE

    def _one_of(self, names: Sequence[str]) -> str | None:
        """The one of these names for the same that the header has. Raises InputError if several differ."""
        found = [name for name in names if name in self.values]
        if len({self.values[name] for name in found}) > 1:
            raise InputError(
                f"The header of {self.path} has different values of {' and '.join(found)}, which mean the "
                "same; save it again."
            )
        return found[0] if found else None


def parse(path: Path) -> MetaImageHeader:
    """The header at `path`.

    Raises InputError if it does not describe one volume with one value per voxel.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST)
    values: dict[str, str] = {}
    end = 0
    for name, value, end in _lines(head):  # noqa: B007
        if (name in _ONCE or name in _COUNTS) and values.get(name, value) != value:
            raise InputError(f"The header of {path} has {name} twice, expected once; save it again.")
        values[name] = value
        if name == LAST:
            break
    missing = [name for name in ("NDims", "DimSize", "ElementType", LAST) if name not in values]
    if missing:
        raise InputError(
            f"The header of {path} is damaged: it lacks {', '.join(missing)}; copy or download it again."
        )
    if found := _CONTROL.search(head[:end].replace(b"\r\n", b"\n")):  # some end a name in other programs
        raise InputError(
            f"The header of {path} is damaged: it has a byte of {found[0][0]}, which is no text; copy or "
            "download it again."
        )
    (count,) = _whole(path, "NDims", values["NDims"], 1)
    if not 1 <= count <= 10:
        raise InputError(f"The header of {path} announces {count} dimensions, expected 3; save it again.")
    for name, numbers in _COUNTS.items():
        if name in values:
            _numbers(path, name, values[name], numbers or count)
    sizes = _whole(path, "DimSize", values["DimSize"], count)
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    (channels,) = _whole(path, "ElementNumberOfChannels", values.get("ElementNumberOfChannels", "1"), 1)
    check_shape(str(path), sizes, channels)
    x, y, z = sizes
    listed: tuple[str, ...] = ()
    if values[LAST].split()[:1] == ["LIST"]:
        listed = tuple(
            line.strip() for line in head[end:].decode(errors="surrogateescape").split("\n") if line.strip()
        )
    return MetaImageHeader(path, values, listed, end, count, (x, y, z))


def _lines(head: bytes) -> Iterator[tuple[str, str, int]]:
    """The name and the value in each line, and where the line ends. Stops at the first of another form."""
    end = len(_MARK) if head.startswith(_MARK) else 0
    while end < len(head):
        begin, end = end, head.find(b"\n", end) + 1 or len(head)
        line = head[begin:end].decode(errors="surrogateescape").strip(_SPACE)
        name, *value = _SEPARATOR.split(line, maxsplit=1)
        if line and not value:
            return
        if line:
            yield name.strip(_SPACE), value[0].strip(_SPACE), end


def _numbers(path: Path, name: str, value: str, count: int) -> list[float]:
    try:
        found = [float(number) for number in value.split()] if value.isascii() and "_" not in value else []
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise InputError(
            f"The header of {path} has {name} = {excerpt(value)}, expected {counted(count, 'number')}; "
            "save it again."
        )
    return found


def _whole(path: Path, name: str, value: str, count: int) -> list[int]:
    found = _numbers(path, name, value, count)
    if any(number != int(number) or abs(number) > _LARGEST for number in found):
        raise InputError(
            f"The header of {path} has {name} = {excerpt(value)}, expected whole numbers; save it again."
        )
    return [int(number) for number in found]
