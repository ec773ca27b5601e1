"""`Segmenter`: segments scans with one bundle on one device."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import backends
from . import bundle as bundles
from .backends.forks import networks_in_use
from .bundle.shipped import DEMO_BUNDLE
from .io.segments import Algorithm
from .io.volume import Scan, Volume, open_scan
from .io.wording import one_line
from .organs import confidences_of, organ_statistics
from .pipeline import pipeline_of
from .pipeline.clock import STAGES, Clock, Progress
from .pipeline.memory_limit import MemoryLimit, ScanMemory, memory_limit
from .pipeline.spacing import network_spacing
from .result import RegionOfInterest, Segmentation
from .scan_warning import ScanWarning
from .system import give_back_freed_memory, peak_resident_bytes
from .triples import triple

__all__ = ["BUNDLE_VARIABLE", "DEMO_BUNDLE", "STAGES", "Progress", "Segmenter", "default_bundle", "segment"]

BUNDLE_VARIABLE = "EFFICIENTSCN_BUNDLE"
_DIGITS = 16  # of a SHA-256


@dataclass(frozen=True)
class OpenedScan:
    """A scan that was read and checked, with the memory that it may take and the times of its stages."""

    scan: Scan
    memory: ScanMemory
    clock: Clock


class Segmenter:
    """Segments scans with one bundle on one device.

    No scan affects the result of another. Several threads may use one segmenter at once.
    """

    def __init__(
        self,
        bundle: bundles.Bundle | str | os.PathLike[str] | None = None,
        device: str = "auto",
        precision: str = "auto",
        threads: int = 0,
        max_memory: int | None = None,
    ) -> None:
        """Load and compile the networks.

        A GPU needs TensorRT engines. If the bundle has none for this GPU, they are built once and kept in the
        user's cache.

        Args:
            bundle: a folder or a loaded bundle. Default: the folder that the environment variable
                EFFICIENTSCN_BUNDLE names, else the demo bundle of this package. A folder is loaded as
                `bundle.load` does: with the trusted keys that are configured, if any.
            device: "cpu", "cuda", "cuda:1" for the second GPU, or "auto": a GPU if all that it needs is
                installed, else the CPU.
            precision: "fp32", "fp16" (GPUs), "bf16" (CPUs), or "auto": the fastest on the device.
            threads: the number of CPU threads, 0 for all cores.
            max_memory: bytes of the host. A scan is refused if this process would need more for it, were it
                the only scan: before its voxels are read, or once the region of interest is known.

        Raises BundleError, DeviceError, and ValueError for a number of threads below 0 or above 1,024, or a
        limit that is no positive number of bytes.
        """
        if not isinstance(bundle, bundles.Bundle):
            bundle = bundles.load(default_bundle() if bundle is None else bundle)
        self.bundle = bundle
        self._threads = backends.thread_count(threads)
        limit = memory_limit(max_memory)
        with networks_in_use():
            self._backend = backends.load(self.bundle, device, precision, self._threads)
            self._pipeline = pipeline_of(self._backend, self.bundle, self._threads)
        manifest = self.bundle.manifest
        digest = hashlib.sha256(manifest.to_json().encode()).hexdigest()
        self._algorithm = Algorithm(manifest.name, digest[:_DIGITS])
        self._memory = MemoryLimit(self._pipeline, self.bundle, limit)

    def __reduce__(self) -> tuple[Callable[..., Segmenter], tuple[object, ...]]:
        """Pickle what it was made from: another process loads the networks itself.

        It trusts the same keys; if there are none, those that are configured for it.
        """
        made_from = (self.device, self.precision, self._threads, self._memory.most)
        return _made_again, (self.bundle.path, self.bundle.trusted or None, *made_from)

    @property
    def device(self) -> str:
        """The device in use."""
        return self._backend.device

    @property
    def precision(self) -> str:
        """The precision in use, "fp32", "fp16" or "bf16"."""
        return self._backend.precision

    def segment(
        self,
        volume: Volume,
        *,
        spacing: Sequence[float] | None = None,
        series: str | None = None,
        orientation: str | None = None,
        progress: Progress | None = None,
        keep_on_device: bool = False,
    ) -> Segmentation:
        """Label the organs of an abdominal CT in HU.

        Args:
            volume: a path (an image file, or a DICOM series in a folder, a zip archive, a DICOMDIR or a
                file), a list of the paths of a DICOM series, a SimpleITK.Image, or an array [z, y, x] along
                LPS axes. An array is NumPy's, or it is
                on the GPU in use and has `__cuda_array_interface__`.
            spacing: of an array, (x, y, z) in mm.
            series: the series instance UID to read where a path has several CT series.
            orientation: where the axes x, y and z of a file run whose header does not say it, as three
                letters: "LPS" is to the left, to the back and to the head.
            progress: called as each stage begins (see `Progress`).
            keep_on_device: leave the label map on the GPU, as a `DeviceLabels`.

        Raises InputError, which a MemoryLimitError is too, and DeviceError.
        """
        opened = self._open(
            volume,
            self._memory.for_a_scan(),
            spacing=spacing,
            series=series,
            orientation=orientation,
            progress=progress,
        )
        return self._label(opened, keep_on_device)

    def _open(
        self,
        volume: Volume,
        memory: ScanMemory,
        *,
        spacing: Sequence[float] | None = None,
        series: str | None = None,
        orientation: str | None = None,
        progress: Progress | None = None,
    ) -> OpenedScan:
        """Read and check a scan, as the first half of `segment`. `memory` may wait before voxels are read.

        Raises InputError, and what `memory` raises.
        """
        clock = Clock(progress)
        with networks_in_use(self.device), clock.stage("read"):
            scan = open_scan(
                volume,
                spacing,
                self._threads,
                series=series,
                orientation=orientation,
                values=not self._pipeline.reads_values,
                admit=memory.admit,
            )
        return OpenedScan(scan, memory, clock)

    def _label(self, opened: OpenedScan, keep_on_device: bool = False) -> Segmentation:
        """Label a scan that `_open` gave, as the second half of `segment`. Its voxels are freed.

        Raises InputError, BundleError, DeviceError.
        """
        scan, memory, clock = opened.scan, opened.memory, opened.clock
        lps_spacing, assumption = network_spacing(
            scan.geometry, self.bundle.manifest.pipeline.unknown_spacing
        )
        with networks_in_use(self.device):
            run = self._pipeline.run(scan, lps_spacing, clock, keep_on_device, memory.admit_input)
        warnings = self._notices() + scan.warnings + assumption
        if not run.found:
            message = "No organ was found at low resolution, so the whole scan was searched."
            warnings.append(ScanWarning("no-organ-found", message, message))
        names = dict(enumerate(self.bundle.manifest.labels))
        voxel_ml = float(np.prod(lps_spacing)) / 1000
        plan, geometry = run.segmentation, scan.geometry
        statistics = {}
        if run.region is not None:
            with clock.stage("statistics"):
                statistics = organ_statistics(
                    np.asarray(run.labels),
                    run.region,
                    geometry,
                    names,
                    voxel_ml,
                    confidences_of(run.confidence, names),
                    self._threads,
                )
        return Segmentation(
            array=run.labels,
            geometry=geometry,
            label_names=names,
            volumes_ml={name: int(run.counts[value]) * voxel_ml for value, name in names.items() if value},
            statistics=statistics,
            region=run.region,
            box=RegionOfInterest(
                start_mm=triple(plan.box.start),
                end_mm=triple(plan.box.end),
                voxels=geometry.own_slices(
                    np.clip(plan.crop_start, 0, plan.image_size).tolist(),
                    np.clip(plan.crop_stop, 0, plan.image_size).tolist(),
                ),
            ),
            device=self.device,
            precision=self.precision,
            seconds=clock.seconds,
            peak_host_memory=peak_resident_bytes(),
            estimated_host_memory=memory.estimate(),
            peak_device_memory=run.device_memory,
            warnings=warnings,
            input_sizes={
                "localization": run.localization.input_size,
                "segmentation": run.segmentation.input_size,
            },
            bundle=self._algorithm,
            runtime=self._backend.runtime,
            input=scan.input,
            source=scan.source,
            label_details=self.bundle.manifest.label_details,
        )

    def trim(self) -> None:
        """Free the memory that is kept for the next scan: on a GPU the arena and the staging buffers, on a
        CPU the memory of the segmentation network.
        """
        with networks_in_use(self.device):
            self._pipeline.trim()
        give_back_freed_memory()

    def _notices(self) -> list[ScanWarning]:
        notice = self.bundle.manifest.provenance.get("notice")
        sentence = one_line(str(notice))
        return [ScanWarning("bundle-notice", sentence, sentence)] if notice else []


def segment(
    volume: Volume,
    bundle: bundles.Bundle | str | os.PathLike[str] | None = None,
    *,
    spacing: Sequence[float] | None = None,
    series: str | None = None,
    orientation: str | None = None,
    device: str = "auto",
    precision: str = "auto",
    max_memory: int | None = None,
) -> Segmentation:
    """Label the organs of one abdominal CT; see `Segmenter` and `Segmenter.segment`.

    For several scans create one `Segmenter`, which loads the networks once.
    Raises InputError, BundleError, DeviceError.
    """
    segmenter = Segmenter(bundle, device, precision, max_memory=max_memory)
    return segmenter.segment(volume, spacing=spacing, series=series, orientation=orientation)


def _made_again(path: Path, trusted: bundles.TrustedKeys | None, *others: Any) -> Segmenter:
    return Segmenter(bundles.load(path, trusted), *others)


def default_bundle() -> Path:
    """The folder that EFFICIENTSCN_BUNDLE names, else the demo bundle of this package."""
    named = os.environ.get(BUNDLE_VARIABLE)
    return Path(named) if named else DEMO_BUNDLE
