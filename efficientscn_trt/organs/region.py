"""The part of a scan that has all of its labels, kept until they are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..triples import Size

_AIR_HU = -300  # what is above is the body, or what it lies on
_EACH = 4  # of the rows and slices are looked at


@dataclass(frozen=True)
class ScanRegion:
    """`hu` [z, y, x] along LPS axes.

    `start` is its first voxel (z, y, x) in the scan. `middle` is the index x of the middle of the body in the
    scan.
    """

    hu: np.ndarray
    start: Size
    middle: float

    @classmethod
    def of(cls, scan: np.ndarray, start: Sequence[int], stop: Sequence[int]) -> ScanRegion:
        """A copy of the voxels [start, stop), (z, y, x), of `scan`, as far as it has them."""
        slices = [
            slice(max(0, first), max(0, min(last, size)))
            for first, last, size in zip(start, stop, scan.shape, strict=True)
        ]
        z, y, x = (part.start for part in slices)
        return cls(scan[tuple(slices)].copy(), (z, y, x), _middle(scan[slices[0]]))

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Where it is in the scan, (z, y, x)."""
        z, y, x = (slice(first, first + size) for first, size in zip(self.start, self.hu.shape, strict=True))
        return z, y, x


def _middle(slices: np.ndarray) -> float:
    """The mean index x of what is not air."""
    columns = np.count_nonzero(slices[::_EACH, ::_EACH] > _AIR_HU, axis=(0, 1))
    return float(np.average(np.arange(columns.size), weights=columns if columns.any() else None))
