"""Checks that ITK's NIfTI reader leaves out: a zero pixel dimension and a file that was cut short.

ITK reads both without an error: the spacing becomes 1 mm, the missing voxels arbitrary values.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from .errors import InputError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class NiftiHeader:
    """What the checks need of a NIfTI-1, NIfTI-2 or Analyze header."""

    voxels: Path
    expected_bytes: int
    pixdim: tuple[float, float, float]

    def check_complete(self) -> None:
        """Read the voxel file to its end: its length and, if compressed, its checksums.

        Raises InputError.
        """
        try:
            found = _length(self.voxels)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{self.voxels} is damaged or cut short (gzip: {error}); copy or download it again."
            ) from error
        if found < self.expected_bytes:
            raise InputError(
                f"{self.voxels} is cut short: it has {found:,} bytes of the {self.expected_bytes:,} that its "
                "header announces; copy or download it again."
            )


def read_header(path: Path) -> NiftiHeader | None:
    """The header of `path`, or None where it has none (another format).

    Raises InputError if a spatial pixel dimension is zero, negative or not finite.
    """
    try:
        with _open(path) as stream:
            head = stream.read(540)
    except (OSError, EOFError, zlib.error):
        return None  # SimpleITK says what is wrong with it
    header = _parse(path, head)
    if header and not all(math.isfinite(value) and value > 0 for value in header.pixdim):
        x, y, z = header.pixdim
        raise InputError(
            f"{path} has the spacing {x:g} × {y:g} × {z:g} mm, expected three positive numbers; "
            "set it (NIfTI field pixdim) to the distance of the voxels in mm."
        )
    return header


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if compressed else path.open("rb")


def _length(path: Path) -> int:
    with _open(path) as stream:
        if not isinstance(stream, gzip.GzipFile):
            return path.stat().st_size
        length = 0
        while chunk := stream.read(_CHUNK):
            length += len(chunk)
    return length


def _parse(path: Path, head: bytes) -> NiftiHeader | None:
    for order in "<>":
        if len(head) >= 348 and struct.unpack_from(f"{order}i", head)[0] == 348:
            dim = struct.unpack_from(f"{order}8h", head, 40)
            (bits,) = struct.unpack_from(f"{order}h", head, 72)
            pixdim = struct.unpack_from(f"{order}8f", head, 76)
            (offset,) = struct.unpack_from(f"{order}f", head, 108)
            magic = head[344:348]
            break
        if len(head) >= 540 and struct.unpack_from(f"{order}i", head)[0] == 540:
            magic = head[4:8]
            (bits,) = struct.unpack_from(f"{order}h", head, 14)
            dim = struct.unpack_from(f"{order}8q", head, 16)
            pixdim = struct.unpack_from(f"{order}8d", head, 104)
            (offset,) = struct.unpack_from(f"{order}q", head, 168)
            break
    else:
        return None
    if not 3 <= dim[0] <= 7 or not math.isfinite(offset):
        return None  # not a volume: the reader's checks have the words for it
    single_file = magic[:2] == b"n+"
    voxels = path if single_file else _pair(path)
    expected = int(offset) + math.prod(dim[1 : dim[0] + 1]) * bits // 8
    return NiftiHeader(voxels, expected, (pixdim[1], pixdim[2], pixdim[3]))


def _pair(header: Path) -> Path:
    stem = header.name.removesuffix(".gz").removesuffix(".hdr")
    plain, compressed = header.with_name(f"{stem}.img"), header.with_name(f"{stem}.img.gz")
    return compressed if compressed.exists() else plain
