"""Checks that ITK's NIfTI reader leaves out.

ITK reads each of these without an error: a pixel dimension of zero (the spacing becomes 1 mm), voxels that
begin within the header (its bytes become voxels), a file cut short (the missing voxels have arbitrary
values), NaN and infinity (they become 0).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from ..errors import InputError
from ..scan_warning import ScanWarning
from .plausibility import check_finite, check_spacing

_CHUNK = 1 << 20
_SIZE = 348  # of a header, in bytes
_SPACING_TOLERANCE = 0.01  # rounding of float32 and of the matrix
_FLOATS = {16: "f4", 64: "f8"}  # codes of the field datatype


@dataclass(frozen=True)
class NiftiHeader:
    """The fields of a NIfTI-1 or Analyze header that the checks need."""

    voxel_file: Path
    voxel_offset: int
    voxel_bytes: int
    dtype: np.dtype | None  # of floats, None for other types
    pixdim: tuple[float, float, float]
    sform: np.ndarray | None  # [3, 4], in the unit of pixdim

    def warnings(self, name: str) -> list[ScanWarning]:
        """A warning if the header of `name` gives two spacings: ITK takes that of pixdim."""
        if self.sform is None:
            return []
        other = np.linalg.norm(self.sform[:, :3], axis=0)
        if np.allclose(other, self.pixdim, rtol=_SPACING_TOLERANCE):
            return []
        taken, left = (" × ".join(f"{value:.4g}" for value in spacing) for spacing in (self.pixdim, other))
        message = (
            f"The header of {name} gives the spacing as {taken} (pixdim) and as {left} (sform): "
            "the first was used, but other programs may use the second."
        )
        return [ScanWarning("two-spacings", message)]

    def check_voxels(self) -> None:
        """Read the voxels to the end: check their number, their finiteness, and checksums if compressed.

        Raises InputError.
        """
        try:
            found, nonfinite = self._scan()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{self.voxel_file} is damaged or cut short (gzip: {error}); copy or download it again."
            ) from error
        except OSError as error:
            raise InputError(f"{self.voxel_file} cannot be read: {error.strerror}.") from error
        if found < self.voxel_bytes:
            raise InputError(
                f"{self.voxel_file} is cut short: it has {max(found, 0):,} bytes of voxels, but its header "
                f"announces {self.voxel_bytes:,}; copy or download it again."
            )
        check_finite(str(self.voxel_file), nonfinite)

    def _scan(self) -> tuple[int, int]:
        """The number of bytes after the header, and of voxels that are not finite."""
        with _open(self.voxel_file) as stream:
            if self.dtype is None and not isinstance(stream, gzip.GzipFile):
                return self.voxel_file.stat().st_size - self.voxel_offset, 0
            stream.read(self.voxel_offset)
            found = nonfinite = 0
            while chunk := stream.read(_CHUNK):
                if self.dtype:
                    voxels = min(len(chunk), self.voxel_bytes - found) // self.dtype.itemsize
                    values = np.frombuffer(chunk, self.dtype, max(voxels, 0))
                    nonfinite += values.size - int(np.isfinite(values).sum())
                found += len(chunk)
        return found, nonfinite


def read_header(path: Path) -> NiftiHeader | None:
    """Read the header of `path`. None if the file is of another format.

    Raises InputError if a spatial pixel dimension is zero, negative or not finite, or if the voxels would
    begin within the header.
    """
    try:
        with _open(path) as stream:
            header = _parse(path, stream.read(_SIZE))
    except (OSError, EOFError, zlib.error):
        return None  # SimpleITK will say what is wrong with it
    if header:
        check_spacing(str(path), header.pixdim)
        single = header.voxel_file == path
        if header.voxel_offset < (_SIZE if single else 0):
            raise InputError(
                f"{path} says that its voxels begin at byte {header.voxel_offset}, expected "
                f"{352 if single else 0} or more; save it again."
            )
    return header


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if compressed else path.open("rb")


def _parse(path: Path, head: bytes) -> NiftiHeader | None:
    if len(head) < _SIZE:
        return None
    order = next((order for order in "<>" if struct.unpack_from(f"{order}i", head)[0] == _SIZE), None)
    if order is None:
        return None
    dim = struct.unpack_from(f"{order}8h", head, 40)
    datatype, bits = struct.unpack_from(f"{order}2h", head, 70)
    pixdim = struct.unpack_from(f"{order}4f", head, 76)
    (offset,) = struct.unpack_from(f"{order}f", head, 108)
    oriented = head[344:346] in (b"n+", b"ni") and struct.unpack_from(f"{order}h", head, 254)[0] > 0
    if not 3 <= dim[0] <= 7 or not math.isfinite(offset):
        return None  # not a volume; the checks of the reader say so
    return NiftiHeader(
        voxel_file=path if head[344:347] == b"n+1" else _pair(path),
        voxel_offset=int(offset),
        voxel_bytes=math.prod(dim[1 : dim[0] + 1]) * bits // 8,
        dtype=np.dtype(order + _FLOATS[datatype]) if datatype in _FLOATS else None,
        pixdim=(pixdim[1], pixdim[2], pixdim[3]),
        sform=np.reshape(struct.unpack_from(f"{order}12f", head, 280), (3, 4)) if oriented else None,
    )


def _pair(header: Path) -> Path:
    stem = header.name.removesuffix(".gz").removesuffix(".hdr")
    plain, compressed = header.with_name(f"{stem}.img"), header.with_name(f"{stem}.img.gz")
    return compressed if compressed.exists() else plain
