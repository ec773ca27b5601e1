"""Compares every available backend with the SavedModels, on every scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from efficientscn_trt import backends
from efficientscn_trt.backends.survey import survey
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.io.volume import open_scan
from efficientscn_trt.organs.appearance import segments_of
from efficientscn_trt.pipeline.host_stages import HostStages
from efficientscn_trt.pipeline.intermediate import run_with_intermediate

from .fidelity import Fidelity, Limits, compare
from .picture import write_picture
from .saved_networks import load_networks

AS_SAVED = "SavedModel"
"""Name of the row that shows what float16 costs the trained model itself."""


@dataclass(frozen=True)
class Verdict:
    """One backend on one scan. `problems` are sentences; the SavedModel itself is not judged."""

    scan: str
    backend: str
    fidelity: Fidelity
    problems: tuple[str, ...]
    picture: Path | None


def validate(
    bundle: Bundle,
    localization: Path,
    segmentation: Path,
    scans: Sequence[Path],
    *,
    limits: Limits | None = None,
    pictures: Path | None = None,
    progress: Callable[[str], None] = lambda what: None,
) -> Iterator[Verdict]:
    """Compare each backend and precision that runs here with the SavedModels in the two folders.

    The reference is their graph in float32: the networks as trained, before they were rounded to float16.
    `pictures`: folder for a picture of each comparison's worst slice. `progress` is called with the name of
    each step as it begins.
    Raises ExportError, InputError, BundleError, DeviceError, OutputError.
    """
    limits = limits or Limits()
    labels = bundle.manifest.labels
    segments = segments_of(dict(enumerate(labels)), bundle.manifest.label_details)
    palette = {each.value: each.colour for each in segments}
    progress("SavedModels")
    exact, saved = load_networks(localization, segmentation, len(labels))
    for path in scans:
        progress(f"{path.name}: SavedModels in float32")
        scan = open_scan(path)
        spacing, names = scan.geometry.lps_spacing, dict(enumerate(labels))
        stages = HostStages.of(scan, bundle.manifest.pipeline)
        reference = run_with_intermediate(stages, scan.lps, exact)

        progress(f"{path.name}: SavedModels as saved")
        found = run_with_intermediate(stages, scan.lps, saved)
        floor = compare(reference, found, saved.segment(reference.image), names, spacing)
        yield Verdict(path.name, AS_SAVED, floor, (), None)
        for device, precision in _available(bundle):
            name = f"{device} {precision}"
            progress(f"{path.name}: {name}")
            backend = backends.load(bundle, device, precision)
            found = run_with_intermediate(stages, scan.lps, backend)
            fidelity = compare(reference, found, backend.segment(reference.image), names, spacing)
            picture = None
            if pictures is not None:
                picture = pictures / f"{path.name.split('.')[0]}-{device}-{precision}.png"
                write_picture(picture, scan, reference.labels, found.labels, f"{path.name}, {name}", palette)
            problems = tuple(fidelity.problems(precision, floor, limits))
            yield Verdict(path.name, name, fidelity, problems, picture)


def _available(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """Device and precision of each backend that runs here."""
    for availability in survey(bundle):
        if availability.problem is None:
            for precision in availability.precisions:
                yield availability.device, precision
