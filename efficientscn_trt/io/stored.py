"""Read voxels as files hold them: raw or compressed, in one file or several. HU come out, in one pass."""

from __future__ import annotations

import math
import os.path
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import InputError
from ..scan_warning import ScanWarning
from ..triples import Size
from .hu import hu_dtype, rescale
from .paths import not_a_file
from .streams import CHUNK, DENSEST, TEXT, opened
from .wording import excerpt

_LONGEST_PATH = 1000  # in a message: a header may name any
#: How many times what a file's voxels take is needed while they are read from text.
_COPIES = {"hex": 5, "text": 2.5}
_MOST_PADDING = 0.1  # of the voxels' bytes; more behind them shows that the header describes something else


@dataclass(frozen=True)
class Part:
    """A file with voxels, which begin at byte `offset`. If they are compressed, the stream begins there."""

    path: Path
    offset: int = 0


@dataclass(frozen=True)
class StoredVoxels:
    """What a header says of its voxels.

    `size` is (x, y, z) in voxels, `dtype` that of the stored voxels with their byte order. Each of the
    `parts` has as many of them. `encoding` is a key of `streams.DENSEST`; `skip` is the number of bytes to
    leave out once decompressed. HU = slope × stored + intercept. Numbers in text must fit `dtype`.
    """

    parts: tuple[Part, ...]
    size: Size
    dtype: np.dtype
    encoding: str = "raw"
    skip: int = 0
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def part_bytes(self) -> int:
        """The number of bytes that the voxels of one part take."""
        return math.prod(self.size) // len(self.parts) * self.held.itemsize

    @property
    def held(self) -> np.dtype:
        """The type of the voxels as they are read."""
        return TEXT if self.encoding == "text" else self.dtype

    @property
    def hu_dtype(self) -> np.dtype:
        """The type of the HU."""
        if (self.slope, self.intercept) == (1, 0):
            return self.dtype.newbyteorder("=")
        if self.dtype.kind not in "iu":
            return np.dtype(np.float32)
        limits = np.iinfo(self.dtype)
        return hu_dtype([(self.slope, self.intercept, (limits.min, limits.max))])

    @property
    def reading(self) -> int:
        """The most memory that reading takes, in bytes."""
        voxels = math.prod(self.size)
        held = int(voxels * self.held.itemsize * _COPIES.get(self.encoding, 1))
        converted = (self.slope, self.intercept) != (1, 0)
        return held + converted * voxels * self.hu_dtype.itemsize

    def at_the_end(self) -> StoredVoxels:
        """The same voxels, if they are the last bytes of each file."""
        ends = ((part, _bytes_of(part.path)) for part in self.parts)
        parts = (Part(part.path, max(part.offset, end - self.part_bytes)) for part, end in ends)
        return replace(self, parts=tuple(parts))


def read_stored(stored: StoredVoxels) -> tuple[np.ndarray, list[ScanWarning]]:
    """The HU [z, y, x], and a warning if there are bytes behind the voxels.

    Raises InputError.
    """
    for part in stored.parts:
        _check_room(stored, part)
    array = np.empty(stored.size[::-1], stored.held)
    target = array.reshape(-1).view(np.uint8).data
    warnings = []
    for index, part in enumerate(stored.parts):
        with opened(part.path, stored.encoding, part.offset) as stream:
            begin = index * stored.part_bytes
            behind = _read(stream, stored, part, target[begin : begin + stored.part_bytes])
        warnings += _padding(stored, part, behind)
    if stored.encoding == "text":
        array = _of_their_type(array, stored)
    return _hu(array, stored), warnings


def _of_their_type(numbers: np.ndarray, stored: StoredVoxels) -> np.ndarray:
    """The numbers of a text, in the type that the header says they have."""
    if stored.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return numbers.astype(stored.dtype)
    limits = np.iinfo(stored.dtype)
    fit = (numbers >= limits.min) & (numbers < float(limits.max) + 1) & (numbers == np.floor(numbers))
    if not fit.all():
        raise InputError(
            f"{stored.parts[0].path} has the voxel {numbers[~fit][0]:.9g} in its text, expected whole "
            f"numbers of its type ({stored.dtype.name}); save it again."
        )
    return numbers.astype(stored.dtype)


def _check_room(stored: StoredVoxels, part: Part) -> None:
    """Refuse a file that cannot hold its voxels, before memory is taken for them."""
    if found := not_a_file(part.path):
        name = excerpt(str(part.path), _LONGEST_PATH)
        raise InputError(f"The file with voxels {name} {found}; put it beside its header.")
    room = (_bytes_of(part.path) - part.offset) * DENSEST[stored.encoding] - stored.skip
    if room < stored.part_bytes:
        most = "" if stored.encoding == "raw" else "at most "
        raise InputError(_cut_short(stored, part, f"{most}{max(room, 0):,}"))


def _bytes_of(path: Path) -> int:
    """0 for what is no file."""
    return path.stat().st_size if os.path.isfile(path) else 0


def _read(stream: BinaryIO, stored: StoredVoxels, part: Part, target: memoryview) -> int:
    """Fill `target`. Returns the number of bytes behind the voxels, to which a file is checked."""
    to_skip = stored.skip
    while to_skip and (skipped := len(stream.read(min(to_skip, CHUNK)))):
        to_skip -= skipped
    found = 0
    while chunk := stream.readinto(target[found : found + CHUNK]):  # type: ignore[attr-defined]
        found += chunk
    if found < len(target):
        raise InputError(_cut_short(stored, part, f"{found:,}"))
    behind = 0
    while (more := len(stream.read(CHUNK))) and behind <= _MOST_PADDING * found:
        behind += more
    return behind


def _cut_short(stored: StoredVoxels, part: Part, found: str) -> str:
    return (
        f"{part.path} is cut short: it has {found} bytes of voxels, but its header announces "
        f"{stored.part_bytes:,}; copy or download it again."
    )


def _hu(array: np.ndarray, stored: StoredVoxels) -> np.ndarray:
    if not array.dtype.isnative:
        array = array.byteswap(inplace=True).view(array.dtype.newbyteorder("="))
    if (stored.slope, stored.intercept) == (1, 0):
        return array
    result = np.empty(array.shape, stored.hu_dtype)
    for values, out in zip(array, result, strict=True):  # slice by slice, for little memory
        rescale(values, stored.slope, stored.intercept, out)
    return result


def _padding(stored: StoredVoxels, part: Part, behind: int) -> list[ScanWarning]:
    if not behind:
        return []
    more = "has more voxels than its header describes"
    if behind > _MOST_PADDING * stored.part_bytes:
        raise InputError(
            f"{part.path} {more}, expected {stored.part_bytes:,} bytes; its size or data type must be "
            "wrong: save it again."
        )
    found = f"{more} ({behind:,} bytes of padding, or a wrong header), which were ignored."
    return [ScanWarning("unused-bytes", f"{part.path} {found}", f"The file {found}")]
