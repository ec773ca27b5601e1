"""The pipeline, stage by stage: scan → 6 mm → box → 2 mm → probabilities → labels."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from . import _core, backends
from . import bundle as bundles
from .errors import BundleError
from .memory import peak_resident_bytes
from .orientation import Triple
from .result import RegionOfInterest, Segmentation
from .volume import Scan, Volume, open_scan

#: What `Segmentation.seconds` and the progress callback name, in order.
STAGES = (
    "read",
    "localization input",
    "localization",
    "segmentation input",
    "segmentation",
    "labels",
)

#: Called with a stage's name, its index and the number of stages, as the stage begins.
Progress = Callable[[str, int, int], None]

BUNDLE_VARIABLE = "EFFICIENTSCN_BUNDLE"


class Segmenter:
    """Segments scans with one bundle on one device.

    It keeps no state between scans and may be used from several threads at once.
    """

    def __init__(
        self,
        bundle: bundles.Bundle | str | os.PathLike[str] | None = None,
        device: str = "auto",
        precision: str = "auto",
        threads: int = 0,
    ) -> None:
        """Load and compile the networks.

        `bundle`: a folder, or a loaded bundle; without one, the folder named by the environment variable
        EFFICIENTSCN_BUNDLE, else the demo bundle of this package. `device`: "auto" or "cpu". `precision`:
        "fp32", "bf16", or "auto", the fastest that the device has. `threads`: CPU threads, 0 for all.
        Raises BundleError, DeviceError.
        """
        self.bundle = bundle if isinstance(bundle, bundles.Bundle) else bundles.load(bundle or default_bundle())
        manifest = self.bundle.manifest
        try:
            self._localization = _core.LocalizationParameters(
                **dataclasses.asdict(manifest.pipeline.localization)
            )
            self._segmentation = _core.SegmentationParameters(
                **dataclasses.asdict(manifest.pipeline.segmentation)
            )
        except ValueError as error:
            raise BundleError(f"{self.bundle.path}: manifest.json: {error}") from error
        self._threads = threads
        self._backend = backends.load(self.bundle, device, precision, threads)

    @property
    def device(self) -> str:
        """The device in use."""
        return self._backend.device

    @property
    def precision(self) -> str:
        """The precision in use, "fp32" or "bf16"."""
        return self._backend.precision

    def segment(
        self, volume: Volume, *, spacing: Sequence[float] | None = None, progress: Progress | None = None
    ) -> Segmentation:
        """Label the organs of an abdominal CT in HU.

        `volume`: a path (any image format of SimpleITK, or a folder with one DICOM series), a
        SimpleITK.Image, or a NumPy array [z, y, x] along LPS axes with `spacing` (x, y, z) in mm.
        Raises InputError.
        """
        clock = _Clock(progress)
        with clock.stage("read"):
            scan = open_scan(volume, spacing, self._threads)
        geometry, warnings = scan.geometry, self._notices() + scan.warnings
        size = scan.lps.shape
        lps_spacing = self._lps_spacing(scan, warnings)

        with clock.stage("localization input"):
            plan = _core.plan_localization(size, lps_spacing, self._localization)
            image = _core.localization_input(scan.lps, plan, self._localization, threads=self._threads)
        with clock.stage("localization"):
            found = _core.mask_box(self._backend.localize(image))
            if found is None:
                warnings.append("No organ was found at low resolution, so the whole scan was searched.")
                box = _core.whole_volume_box(plan, self._localization)
            else:
                box = _core.box_from_mask(*found, plan, self._localization)

        with clock.stage("segmentation input"):
            crop = _core.plan_segmentation(size, lps_spacing, box, self._segmentation)
            image = _core.segmentation_input(
                scan.lps, lps_spacing, crop, self._segmentation, threads=self._threads
            )
        del scan  # a scan read from a file is freed here, before the largest network runs
        with clock.stage("segmentation"):
            probabilities = self._backend.segment(image)
        del image
        with clock.stage("labels"):
            z, y, x = geometry.size[::-1]
            labels = np.empty((z, y, x), np.uint8)
            counts = _core.write_labels(probabilities, crop, geometry.lps_view(labels), threads=self._threads)

        names = dict(enumerate(self.bundle.manifest.labels))
        voxel_ml = float(np.prod(lps_spacing)) / 1000
        return Segmentation(
            array=labels,
            geometry=geometry,
            label_names=names,
            volumes_ml={name: int(counts[value]) * voxel_ml for value, name in names.items() if value},
            box=RegionOfInterest(
                start_mm=_triple(crop.box.start),
                end_mm=_triple(crop.box.end),
                voxels=geometry.own_slices(
                    np.clip(crop.crop_start, 0, size), np.clip(crop.crop_stop, 0, size)
                ),
            ),
            device=self.device,
            precision=self.precision,
            seconds=clock.seconds,
            peak_host_memory=peak_resident_bytes(),
            warnings=warnings,
        )

    def _notices(self) -> list[str]:
        notice = self.bundle.manifest.provenance.get("notice")
        return [str(notice)] if notice else []

    def _lps_spacing(self, scan: Scan, warnings: list[str]) -> Triple:
        """Spacing (z, y, x) in mm of the LPS view, or the one that stands in for an unknown one."""
        unknown = self.bundle.manifest.pipeline.unknown_spacing
        if scan.geometry.spacing != unknown.marker_xyz:
            return scan.geometry.lps_spacing
        marker, used = (" × ".join(f"{v:.4g}" for v in s) for s in (unknown.marker_xyz, unknown.used_xyz))
        warnings.append(
            f"The spacing is exactly {marker} mm, which usually means that it is unknown: {used} mm was "
            "assumed for the segmentation and for volumes; the label map keeps the spacing of the scan."
        )
        x, y, z = unknown.used_xyz
        return z, y, x


def segment(
    volume: Volume,
    bundle: bundles.Bundle | str | os.PathLike[str] | None = None,
    *,
    spacing: Sequence[float] | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Segmentation:
    """Label the organs of one abdominal CT; see `Segmenter` and `Segmenter.segment`.

    For several scans make one `Segmenter`, which loads the networks once.
    Raises InputError, BundleError, DeviceError.
    """
    return Segmenter(bundle, device, precision).segment(volume, spacing=spacing)


class _Clock:
    """Times the stages and tells the callback of each."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self._progress:
            self._progress(name, STAGES.index(name), len(STAGES))
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin


def default_bundle() -> Path:
    """The folder that EFFICIENTSCN_BUNDLE names, else the demo bundle of this package."""
    named = os.environ.get(BUNDLE_VARIABLE)
    return Path(named) if named else Path(__file__).parent / "demo_bundle"


def _triple(values: Sequence[float]) -> Triple:
    z, y, x = (float(value) for value in values)
    return z, y, x
