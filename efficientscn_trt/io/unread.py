"""A scan before its voxels are read: what they will take, so that one that is too large costs nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .native import native_dtype
from .orientation import Geometry


@dataclass(frozen=True)
class Unread:
    """What a header says of a scan, and the memory that its voxels will take, in bytes.

    `dtype` is that of the voxels as they are next. `reading` is the most that they take until they can be
    segmented, and `held` what they take then. `kept` is what is not freed before the end of the run: voxels
    that are the caller's, and libraries.
    """

    name: str  # in messages
    geometry: Geometry
    dtype: np.dtype
    reading: int
    held: int
    kept: int = 0

    @classmethod
    def in_file(cls, name: str, geometry: Geometry, dtype: np.dtype, reading: int) -> Unread:
        """A scan in files, which are read as voxels of `dtype`."""
        return cls(name, geometry, dtype, reading, math.prod(geometry.size) * dtype.itemsize)

    @classmethod
    def in_memory(
        cls, name: str, geometry: Geometry, array: np.ndarray, *, on_device: bool = False
    ) -> Unread:
        """A scan in an array of the caller's."""
        return cls(name, geometry, array.dtype, 0, 0, 0 if on_device else array.nbytes)

    @property
    def voxels(self) -> int:
        """Their number."""
        return math.prod(self.geometry.size)

    def converted(self) -> Unread:
        """The scan in a dtype that the core reads."""
        dtype = native_dtype(self.dtype)
        if dtype is None or dtype == self.dtype:
            return self
        held = self.voxels * dtype.itemsize
        return replace(self, dtype=dtype, reading=max(self.reading, self.held + held), held=held)


#: Called before voxels are read. It raises InputError if they must not be.
Admit = Callable[[Unread], None]


def anything(scan: Unread) -> None:
    """Admits any scan."""
