"""How much memory of the host a scan will need, estimated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..triples import Size

if TYPE_CHECKING:
    from ..io.unread import Unread

_FLOAT = 4  # bytes
_LABEL = 1


@dataclass(frozen=True)
class MemoryNeed:
    """The most that a scan takes during each part of a run, in bytes, beside the process and its networks."""

    reading: int
    localization: int
    segmentation: int
    labels: int

    @property
    def most(self) -> int:
        """The most at any time."""
        return max(self.reading, self.localization, self.segmentation, self.labels)


@dataclass(frozen=True)
class NetworkNeed:
    """The input of a network, of `size` (z, y, x), and the bytes that it takes with its output."""

    size: Size
    bytes: int

    @property
    def input_bytes(self) -> int:
        """Those of the input."""
        return _FLOAT * math.prod(self.size)


def need_on_host(
    scan: Unread, localization: NetworkNeed, segmentation: NetworkNeed, region_voxels: int
) -> MemoryNeed:
    """The need of a run whose networks run on the host. It copies `region_voxels` of the scan."""
    region = min(region_voxels, scan.voxels) * scan.dtype.itemsize
    return MemoryNeed(
        reading=scan.kept + scan.reading,
        localization=scan.kept + scan.held + localization.input_bytes + localization.bytes,
        segmentation=scan.kept + region + max(scan.held, segmentation.bytes) + segmentation.input_bytes,
        labels=scan.kept + region + segmentation.bytes + _LABEL * scan.voxels,
    )


def need_on_device(scan: Unread) -> MemoryNeed:
    """The need of a run on a GPU, where the networks take no memory of the host."""
    held = scan.kept + scan.held
    return MemoryNeed(scan.kept + scan.reading, held, held, held + _LABEL * scan.voxels)
