"""What a pipeline does, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .. import _core
from ..io.device_array import DeviceLabels
from ..organs import ScanRegion
from ..triples import Size, Triple
from .clock import Clock
from .need import MemoryNeed

if TYPE_CHECKING:
    from ..io.unread import Unread
    from ..io.volume import Scan


@dataclass(frozen=True)
class Run:
    """The labels of one scan, and the plans and counts behind them.

    `labels` is uint8 [z, y, x] in the scan's own axes. `localization` and `segmentation` are the plans of the
    two stages. `counts` has the number of voxels of each label, and `confidence` how sure the network is of
    it. `found` says whether the localization network found an organ. `region` has the HU of the crop, outside
    of which there are no labels; it is None if the labels stay on a GPU. `device_memory` is the peak size
    of the arena, in bytes.
    """

    labels: np.ndarray | DeviceLabels
    localization: _core.LocalizationPlan
    segmentation: _core.SegmentationPlan
    counts: np.ndarray
    confidence: list[_core.LabelConfidence]
    found: bool
    region: ScanRegion | None
    device_memory: int = 0


AdmitInput = Callable[[Size], None]


def any_size(size: Size) -> None:
    """Admits any input."""


class Pipeline(Protocol):
    """Both stages. No run affects the result of another; calls may overlap."""

    reads_values: bool
    """Whether a run itself checks the scan's values while it reads them."""

    def run(
        self, scan: Scan, spacing: Triple, clock: Clock, keep_on_device: bool, admit: AdmitInput = any_size
    ) -> Run:
        """Label `scan`, whose LPS view has `spacing` (z, y, x) in mm. It may release the scan's voxels.

        `admit` is called with the size (z, y, x) of the segmentation network's input, if that network takes
        memory of the host, before it is made. Raises what `admit` raises.
        """
        ...

    def need(self, scan: Unread, spacing: Triple, segmentation: Size | None) -> MemoryNeed:
        """The memory of the host that `run` takes for `scan`, whose LPS view has `spacing` (z, y, x) in mm.

        `segmentation`: the size (z, y, x) of the segmentation network's input, None for the smallest.
        Raises BundleError.
        """
        ...

    def largest_input(self, scan: Unread, spacing: Triple) -> Size | None:
        """The size (z, y, x) that the segmentation network's input has if the box is the whole scan.

        None if that network takes no memory of the host. Raises BundleError.
        """
        ...

    def trim(self) -> None:
        """Free the memory that is kept for the next run."""
        ...
