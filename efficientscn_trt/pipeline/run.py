"""What a pipeline does, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .. import _core
from ..io.device_array import DeviceLabels
from ..triples import Triple
from .clock import Clock

if TYPE_CHECKING:
    from ..io.volume import Scan


@dataclass(frozen=True)
class Run:
    """The labels of one scan, and the plans and counts behind them.

    `labels` is uint8 [z, y, x] in the scan's own axes. `localization` and `segmentation` are the plans of the
    two stages. `counts` has the number of voxels of each label. `found` says whether the localization network
    found an organ. `device_memory` is the peak size of the arena, in bytes.
    """

    labels: np.ndarray | DeviceLabels
    localization: _core.LocalizationPlan
    segmentation: _core.SegmentationPlan
    counts: np.ndarray
    found: bool
    device_memory: int = 0


class Pipeline(Protocol):
    """Both stages. No run affects the result of another; calls may overlap."""

    reads_values: bool
    """Whether a run itself checks the scan's values while it reads them."""

    def run(self, scan: Scan, spacing: Triple, clock: Clock, keep_on_device: bool) -> Run:
        """Label `scan`, whose LPS view has `spacing` (z, y, x) in mm. It may release the scan's voxels."""
        ...

    def trim(self) -> None:
        """Free the memory that is kept for the next run."""
        ...
