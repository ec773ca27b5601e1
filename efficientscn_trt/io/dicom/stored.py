"""What headers say of the pixels of a series, before they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom import uid

from ...errors import InputError
from .elements import transfer_syntax
from .files import Instance, bytes_at_hand
from .frames import Frame, frame_count
from .hu import HuScale
from .storage import Storage

UNCOMPRESSED = frozenset(
    {
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
    }
)
MOST_PADDING = 0.1  # of the bytes that a header describes; more shows that it describes something else
_MUCH = 64 << 20  # bytes; less is taken before it is known what is wrong with a file
#: How many bytes of pixels one byte of a file can stand for; for other compressed ones any number.
_DENSEST = {**dict.fromkeys(UNCOMPRESSED, 1), uid.RLELossless: 64}
#: What a file takes while it is read, in times of its bytes, and a frame while it is turned into HU.
_COPIES, _BYTES_PER_PIXEL = 3, 16


@dataclass(frozen=True)
class StoredPixels:
    """What headers say of the pixels of `frames`, which are of one size."""

    frames: Sequence[Frame]
    storages: Mapping[Instance, Storage]
    scale: HuScale

    @classmethod
    def of(cls, frames: Sequence[Frame]) -> StoredPixels:
        """Raises InputError if there is no telling, or if the files have no room for them."""
        storages = {frame.instance: Storage.of(frame.instance) for frame in frames}
        pixels = cls(frames, storages, HuScale.of(frames, storages))
        if pixels.bytes > _MUCH:
            for instance, storage in storages.items():
                _check_room(instance, described_bytes(instance, storage, math.prod(frames[0].size)))
        return pixels

    @property
    def dtype(self) -> np.dtype:
        """The type of the HU: the smallest that holds all that can be stored."""
        return self.scale.dtype

    @property
    def bytes(self) -> int:
        """The memory that the HU take."""
        return len(self.frames) * math.prod(self.frames[0].size) * self.dtype.itemsize

    def reading(self, threads: int) -> int:
        """The most memory that reading takes, in bytes."""
        pixels = math.prod(self.frames[0].size)
        files = [
            min(bytes_at_hand(instance.file), 2 * described_bytes(instance, storage, pixels))
            for instance, storage in self.storages.items()
        ]
        return self.bytes + _COPIES * sum(sorted(files)[-threads:]) + threads * _BYTES_PER_PIXEL * pixels


def described_bytes(instance: Instance, storage: Storage, pixels: int) -> int:
    """The bytes of all frames of a file without compression, with so many pixels each."""
    return frame_count(instance.header) * pixels * storage.allocated // 8


def _check_room(instance: Instance, announced: int) -> None:
    """Refuse a file that cannot hold so many bytes of pixels, before memory is taken for them."""
    most = bytes_at_hand(instance.file) * _DENSEST.get(transfer_syntax(instance.header), math.inf)
    if most < announced:
        raise InputError(
            f"The pixels of {instance.file} are missing, cut short or damaged (the file holds at most "
            f"{most:,.0f} bytes of them, but its header announces {announced:,}); copy the series again."
        )
