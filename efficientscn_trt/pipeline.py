"""From a scan to its labels: on the host with the networks of any backend, or wholly on a device."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from . import _core
from .backends import Backend
from .bundle import Bundle
from .device_array import DeviceLabels
from .errors import BundleError, InputError
from .orientation import Triple
from .stages import Clock
from .volume import Scan


@dataclass(frozen=True)
class Parameters:
    """The numbers of both stages, as the core has them."""

    localization: Any
    segmentation: Any

    @classmethod
    def of(cls, bundle: Bundle) -> Parameters:
        """Those of the manifest. Raises BundleError where they make no sense."""
        stages = bundle.manifest.pipeline
        try:
            return cls(
                _core.LocalizationParameters(**dataclasses.asdict(stages.localization)),
                _core.SegmentationParameters(**dataclasses.asdict(stages.segmentation)),
            )
        except ValueError as error:
            raise BundleError(f"{bundle.path}: manifest.json: {error}") from error


@dataclass(frozen=True)
class Run:
    """`labels` uint8 [z, y, x] in the scan's own axes; `plan` of stage 2; `counts` voxels a label; `found`
    whether the localization network found an organ; `device_memory` bytes that the arena held at most."""

    labels: np.ndarray | DeviceLabels
    plan: Any
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


class HostPipeline:
    """The core's sweeps on the CPU around the networks of a backend."""

    reads_values = False

    def __init__(self, backend: Backend, parameters: Parameters, threads: int) -> None:
        self._backend, self._parameters, self._threads = backend, parameters, threads

    def run(self, scan: Scan, spacing: Triple, clock: Clock, keep_on_device: bool) -> Run:
        """See `Pipeline`."""
        if scan.on_device:
            raise InputError(
                "The array lies on a GPU, but the networks run on the CPU; copy it to the host, or use "
                'device="cuda".'
            )
        if keep_on_device:
            raise InputError('Labels stay on a GPU only where they are made: with device="cuda".')
        stage_1, stage_2, threads = (
            self._parameters.localization,
            self._parameters.segmentation,
            self._threads,
        )
        geometry, size = scan.geometry, scan.lps.shape
        with clock.stage("localization input"):
            plan = _core.plan_localization(size, spacing, stage_1)
            image = _core.localization_input(scan.lps, plan, stage_1, threads=threads)
        with clock.stage("localization"):
            found = _core.mask_box(self._backend.localize(image))
            if found is None:
                box = _core.whole_volume_box(plan, stage_1)
            else:
                box = _core.box_from_mask(*found, plan, stage_1)
        with clock.stage("segmentation input"):
            crop = _core.plan_segmentation(size, spacing, box, stage_2)
            image = _core.segmentation_input(scan.lps, spacing, crop, stage_2, threads=threads)
        scan.release()  # one read from a file is freed here, before the largest network runs
        with clock.stage("segmentation"):
            probabilities = self._backend.segment(image)
        del image
        with clock.stage("labels"):
            labels = np.empty(geometry.size[::-1], np.uint8)
            counts = _core.write_labels(probabilities, crop, geometry.lps_view(labels), threads=threads)
        return Run(labels, crop, counts, found is not None)

    def trim(self) -> None:
        """See `Pipeline`."""
        self._backend.trim()
