"""From the bytes of a NIfTI or Analyze volume to HU, in one pass."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from isal.igzip import IGzipFile

from ...errors import InputError
from ...scan_warning import ScanWarning
from ..hu import hu_dtype, rescale
from .files import opened
from .header import NiftiHeader

_CHUNK = 1 << 20
_DENSEST = 1032  # how many bytes one byte of a gzip file can stand for. Source: zlib's documentation
_MOST_PADDING = 0.1  # of the voxels' bytes; more behind them shows that the header describes something else


def read_voxels(header: NiftiHeader) -> tuple[np.ndarray, list[ScanWarning]]:
    """The HU [z, y, x], and a warning if there are bytes behind the voxels.

    Raises InputError.
    """
    with opened(header.voxel_file) as stream:
        _check_room(header, isinstance(stream, IGzipFile))
        stored, behind = _read(stream, header)
    return _hu(stored, header), _padding(header, behind)


def _check_room(header: NiftiHeader, compressed: bool) -> None:
    """Refuse a file that cannot hold its voxels, before memory is taken for them."""
    room = header.voxel_file.stat().st_size * (_DENSEST if compressed else 1)
    if room < header.offset + header.voxel_bytes:
        most = "at most " if compressed else ""
        raise InputError(_cut_short(header, f"{most}{max(room - header.offset, 0):,}"))


def _read(stream: BinaryIO, header: NiftiHeader) -> tuple[np.ndarray, int]:
    """The stored voxels, and the number of bytes behind them, to which a gzip file is checked."""
    to_skip = header.offset
    while to_skip and (skipped := len(stream.read(min(to_skip, _CHUNK)))):
        to_skip -= skipped
    stored = np.empty(header.size[::-1], header.dtype)
    target, found = stored.reshape(-1).view(np.uint8).data, 0
    while chunk := stream.readinto(target[found : found + _CHUNK]):  # type: ignore[attr-defined]
        found += chunk
    if found < len(target):
        raise InputError(_cut_short(header, f"{found:,}"))
    behind = 0
    while (more := len(stream.read(_CHUNK))) and behind <= _MOST_PADDING * found:
        behind += more
    return stored, behind


def _cut_short(header: NiftiHeader, found: str) -> str:
    return (
        f"{header.voxel_file} is cut short: it has {found} bytes of voxels, but its header announces "
        f"{header.voxel_bytes:,}; copy or download it again."
    )


def _hu(stored: np.ndarray, header: NiftiHeader) -> np.ndarray:
    if not stored.dtype.isnative:
        stored = stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    slope, intercept = header.slope, header.intercept
    if (slope, intercept) == (1, 0):
        return stored
    kind = np.dtype(np.float32)
    if stored.dtype.kind in "iu":
        limits = np.iinfo(stored.dtype)
        kind = hu_dtype([(slope, intercept, (limits.min, limits.max))])
    array = np.empty(stored.shape, kind)
    for values, out in zip(stored, array, strict=True):  # slice by slice, for little memory
        rescale(values, slope, intercept, out)
    return array


def _padding(header: NiftiHeader, behind: int) -> list[ScanWarning]:
    if not behind:
        return []
    found = f"{header.voxel_file} has more voxels than its header describes"
    if behind > _MOST_PADDING * header.voxel_bytes:
        raise InputError(
            f"{found}, expected {header.voxel_bytes:,} bytes; its size or data type must be wrong: save it "
            "again."
        )
    message = f"{found} ({behind:,} bytes of padding, or a wrong header), which were ignored."
    return [ScanWarning("unused-bytes", message)]
