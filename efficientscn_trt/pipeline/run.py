"""What a pipeline does, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .. import _core
from ..io.device_array import DeviceLabels
from ..io.volume import Scan
from ..triples import Triple
from .clock import Clock


@dataclass(frozen=True)
class Run:
    """The labels of one scan, and how they came about.

    `labels` uint8 [z, y, x] in the scan's own axes; `localization` and `segmentation` are the plans of the
    two stages; `counts` voxels a label; `found` whether the localization network found an organ;
    `device_memory` bytes that the arena held at most.
    """

    labels: np.ndarray | DeviceLabels
    localization: _core.LocalizationPlan
    segmentation: _core.SegmentationPlan
    counts: np.ndarray
    found: bool
    device_memory: int = 0


class Pipeline(Protocol):
    """Both stages. No run leaves a trace in the next; calls may overlap."""

    reads_values: bool
    """Whether a run checks the scan's values itself, as it reads them."""

    def run(self, scan: Scan, spacing: Triple, clock: Clock, keep_on_device: bool) -> Run:
        """Label `scan`, whose LPS view has `spacing` (z, y, x) in mm. It may let go of the scan's voxels."""
        ...

    def trim(self) -> None:
        """Give back memory that is held for the next run."""
        ...
