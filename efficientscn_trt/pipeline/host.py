"""Both stages on the host, with the networks of any backend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..backends.protocols import Backend
from ..bundle.core_parameters import CoreParameters, bundle_errors
from ..errors import InputError
from ..organs import ScanRegion
from ..triples import Size, Triple
from .clock import Clock
from .host_stages import HostStages
from .need import MemoryNeed, NetworkNeed, need_on_host
from .run import AdmitInput, Run, any_size

if TYPE_CHECKING:
    from ..io.unread import Unread
    from ..io.volume import Scan


class HostPipeline:
    """The pipeline on the host: the core's resampling around the networks of a backend."""

    reads_values = False

    def __init__(self, backend: Backend, parameters: CoreParameters, threads: int) -> None:
        self._backend, self._parameters, self._threads = backend, parameters, threads

    def run(
        self, scan: Scan, spacing: Triple, clock: Clock, keep_on_device: bool, admit: AdmitInput = any_size
    ) -> Run:
        """See `Pipeline`."""
        if scan.on_device:
            raise InputError(
                "The array is on a GPU, but the networks run on the CPU; copy it to the host, or use "
                'device="cuda".'
            )
        if keep_on_device:
            raise InputError('Labels can stay on a GPU only if they are computed there; use device="cuda".')
        geometry = scan.geometry
        with clock.stage("localization input"), bundle_errors():
            stages = HostStages(scan.lps.shape, spacing, self._parameters, self._threads)
            image = stages.localization_input(scan.lps)
        with clock.stage("localization"):
            mask = self._backend.localize(image)
            with bundle_errors():
                plan, found = stages.plan_segmentation(mask)
        admit(plan.input_size)
        with clock.stage("segmentation input"):
            image = stages.segmentation_input(scan.lps, plan)
            region = ScanRegion.of(scan.lps, plan.crop_start, plan.crop_stop)
        scan.release()  # frees a scan that was read from a file, before the larger network runs
        with clock.stage("segmentation"):
            probabilities = self._backend.segment(image)
        del image
        with clock.stage("labels"):
            labels = np.empty(geometry.size[::-1], np.uint8)
            counts = stages.labels(probabilities, plan, geometry.lps_view(labels))
            confidence = stages.confidence(probabilities, plan)
        return Run(labels, stages.localization, plan, counts, confidence, found, region)

    def need(self, scan: Unread, spacing: Triple, segmentation: Size | None) -> MemoryNeed:
        """See `Pipeline`."""
        with bundle_errors():
            stages = HostStages(scan.geometry.lps_size, spacing, self._parameters, self._threads)
        if segmentation is None:
            z, y, x = (sizes[0] for sizes in self._parameters.segmentation.valid_sizes)
            segmentation = z, y, x
        localization = stages.localization.input_size
        return need_on_host(
            scan,
            NetworkNeed(localization, self._backend.bytes_for("localization", localization)),
            NetworkNeed(segmentation, self._backend.bytes_for("segmentation", segmentation)),
            self._region_voxels(scan, spacing, segmentation),
        )

    def largest_input(self, scan: Unread, spacing: Triple) -> Size | None:
        """See `Pipeline`."""
        with bundle_errors():
            stages = HostStages(scan.geometry.lps_size, spacing, self._parameters, self._threads)
            plan, _ = stages.plan_segmentation(np.zeros(stages.localization.input_size, np.bool_))
        return plan.input_size

    def trim(self) -> None:
        """See `Pipeline`."""
        self._backend.trim()

    def _region_voxels(self, scan: Unread, spacing: Triple, segmentation: Size) -> int:
        """The most voxels that the crop has for an input of this size."""
        parameters = self._parameters.segmentation
        if any(size == sizes[-1] for size, sizes in zip(segmentation, parameters.valid_sizes, strict=True)):
            return scan.voxels  # the input's spacing may be larger, so that the box fits
        lengths = (
            min(whole, math.ceil((size * parameters.spacing_mm + 1) / mm) + 1)
            for size, mm, whole in zip(segmentation, spacing, scan.geometry.lps_size, strict=True)
        )
        return math.prod(lengths)
