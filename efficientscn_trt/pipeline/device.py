"""Both stages on a GPU, in one call of the core."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from ..backends.protocols import DeviceBackend
from ..bundle.core_parameters import bundle_errors
from ..errors import InputError
from ..io.device_array import DeviceLabels, on_host
from ..organs import ScanRegion
from ..triples import Size, Triple
from .clock import STAGES, Clock
from .need import MemoryNeed, need_on_device
from .run import AdmitInput, Run, any_size

if TYPE_CHECKING:
    from ..io.unread import Unread
    from ..io.volume import Scan

_DEVICE_STAGES = STAGES[1:-1]


class DevicePipeline:
    """The pipeline on a GPU. Concurrent calls wait for each other."""

    reads_values = True

    def __init__(self, backend: DeviceBackend) -> None:
        self._backend, self._core = backend, backend.core

    def run(
        self, scan: Scan, spacing: Triple, clock: Clock, keep_on_device: bool, admit: AdmitInput = any_size
    ) -> Run:
        """See `Pipeline`."""
        stream = scan.device.stream if scan.device is not None else None
        if scan.device is not None:
            self._require_here(scan)
        shape = scan.geometry.size[::-1]
        labels: np.ndarray | DeviceLabels
        if keep_on_device:
            labels = DeviceLabels(shape, self._backend.index)
            target = labels.view()
        else:
            labels = target = np.empty(shape, np.uint8)
        with bundle_errors():
            run = self._core.segment(
                scan.lps,
                spacing,
                scan.geometry.lps_view(target),
                scan_on_device=scan.on_device,
                labels_on_device=keep_on_device,
                stream=stream,
                begin=lambda stage: clock.begin(stage.name.lower().replace("_", " ")),
                values=scan.check_values,
            )
        clock.seconds.update(zip(_DEVICE_STAGES, run.seconds, strict=True))
        self._backend.keep_kernels(run.localization.input_size, run.segmentation.input_size)
        counts = np.asarray(run.counts)
        region = None if keep_on_device else self._region(scan, run.segmentation)
        peak = self._core.arena_peak
        return Run(
            labels, run.localization, run.segmentation, counts, run.confidence, run.found, region, peak
        )

    def need(self, scan: Unread, spacing: Triple, segmentation: Size | None) -> MemoryNeed:
        """See `Pipeline`."""
        return need_on_device(scan)

    def largest_input(self, scan: Unread, spacing: Triple) -> Size | None:
        """See `Pipeline`."""
        return None

    def trim(self) -> None:
        """See `Pipeline`."""
        self._core.trim()

    def _region(self, scan: Scan, plan: _core.SegmentationPlan) -> ScanRegion:
        """A copy of the crop of `scan`."""
        start, stop, lps = plan.crop_start, plan.crop_stop, scan.lps
        if not scan.on_device:
            return ScanRegion.of(lps, start, stop)
        first, last = max(0, start[0]), max(0, stop[0])
        slices = on_host(lps[first:last], self._backend.index)
        region = ScanRegion.of(slices, (0, *start[1:]), (last - first, *stop[1:]))
        return replace(region, start=(first, *region.start[1:]))

    def _require_here(self, scan: Scan) -> None:
        here, own = self._backend.index, self._backend.device
        found, foreign_context = self._core.place_of(scan.array.__array_interface__["data"][0])
        if found < 0:
            raise InputError(
                "The array says that it is on a GPU, but its address is in host memory; pass it as a "
                "NumPy array."
            )
        if found != here:
            raise InputError(
                f"The array is on cuda:{found}, but the networks run on {own}; copy it, or use "
                f'device="cuda:{found}".'
            )
        if foreign_context:
            raise InputError(
                "The array is in a CUDA context of its own, expected the primary one; import "
                "pycuda.autoprimaryctx instead of pycuda.autoinit."
            )
