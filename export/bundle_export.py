"""Exports two SavedModels to one bundle."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle.decode import decode
from efficientscn_trt.bundle.label_list import BACKGROUND
from efficientscn_trt.errors import BundleError, ExportError, OutputError
from efficientscn_trt.io.label_details import LabelDetails
from efficientscn_trt.io.paths import is_there

from .check_input import CheckScan
from .compare import Difference
from .cpu_run import CpuRun, run_on_cpu
from .labels import NamedLabels, labels_of
from .network import STEPS, export_network
from .savedmodel import load_saved_model
from .steps import NetworkReport, Progress
from .tensorflow_import import import_tensorflow

PACKAGES = ("tensorflow", "tf2onnx", "onnx", "onnxscript", "onnxruntime")
"""Packages whose versions go into the bundle's provenance."""

PROGRESS_STEPS = 2 * (2 + len(STEPS)) + 3
"""How often `export_bundle` calls `progress`."""


@dataclass(frozen=True)
class ExportReport:
    """The bundle, its labels, and how the export of each network went.

    `cpu`: a run of each network on this machine's CPU; none if it cannot run them, because of `not_on_cpu`.
    `check_input`: name of the scan for the checks.
    """

    bundle: bundles.Bundle
    labels: NamedLabels
    localization: NetworkReport
    segmentation: NetworkReport
    cpu: tuple[CpuRun, ...]
    not_on_cpu: str
    check_input: str


def export_bundle(
    localization: str | os.PathLike[str],
    segmentation: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    labels: Sequence[LabelDetails] | None = None,
    background: bool = True,
    name: str | None = None,
    description: str = "",
    notice: str = "",
    training_data: str = "",
    parameters: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    check_input: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Convert the SavedModels in the folders `localization` and `segmentation` to the bundle `output`.

    Each step is checked on the networks' inputs for the CT `check_input`, by default for a phantom.

    Args:
        labels: of the segmentation network's channels, without the background. By default those in the
            SavedModel, or of the released network if there are as many, or "label 1" and so on.
        background: whether the segmentation network has a channel for the background, the first. If not, the
            bundle's network gets one: what the predictions of the labels leave of 1.
        name: the bundle's name; by default the name of the folder `output`.
        description, notice, training_data: free text for the manifest; each segmentation shows the notice to
            its user.
        parameters: the manifest's `pipeline`, or only the values that differ from the released code, as a
            mapping or a JSON file.
        force: replace an existing bundle.
        progress: called with the name of each step as it begins, PROGRESS_STEPS times.

    Raises ExportError (an unsuitable model or parameter, labels of another number, or a step that changed a
    network's outputs), InputError (`check_input`), OutputError, BundleError.
    """
    target = Path(output)
    tell = progress or (lambda name: None)
    pipeline = _pipeline(parameters)
    _check_target(target, force)
    import_tensorflow()
    # Both networks are verified before the work on one begins, which takes most of a minute.
    tell("localization: load")
    saved_localizer = load_saved_model(Path(localization), "localization")
    tell("segmentation: load")
    saved_segmenter = load_saved_model(Path(segmentation), "segmentation", background=background)
    named = labels_of(saved_segmenter, labels)
    tell("check input")
    scan = CheckScan(None if check_input is None else Path(check_input), pipeline)
    tell("localization: SavedModel")
    whole = scan.localization()
    mask = saved_localizer.run(whole)
    tell("segmentation: SavedModel")
    crop = scan.segmentation(mask[0, 0])
    probabilities = saved_segmenter.run(crop)

    def announce(role: str) -> Progress:
        return lambda step: tell(f"{role}: {step}")

    localizer = export_network(saved_localizer, whole, mask, announce("localization"))
    segmenter = export_network(saved_segmenter, crop, probabilities, announce("segmentation"))

    tell("bundle")
    provenance = {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "tool": f"efficientscn-trt {version('efficientscn-trt')}",
        "localization": _provenance(saved_localizer.sha256(), localizer.report),
        "segmentation": _provenance(saved_segmenter.sha256(), segmenter.report),
        "check_input": scan.name,
        "versions": {package: version(package) for package in PACKAGES},
        "training_data": training_data,
        "notice": notice,
    }
    written = bundles.write(
        target,
        name=name or target.resolve().name,
        description=description,
        labels=(BACKGROUND, *(label.name for label in named.labels)),
        label_details=named.labels,
        pipeline=pipeline,
        localization=localizer.source,
        segmentation=segmenter.source,
        provenance=provenance,
    )
    tell("run on the CPU")
    runs: tuple[CpuRun, ...] = ()
    not_on_cpu = ""
    try:
        runs = run_on_cpu(
            written,
            {"localization": whole, "segmentation": crop},
            {"localization": localizer.report.not_core, "segmentation": segmenter.report.not_core},
        )
    except (BundleError, MemoryError) as error:
        not_on_cpu = str(error) or "There is not enough memory."
    return ExportReport(written, named, localizer.report, segmenter.report, runs, not_on_cpu, scan.name)


def _provenance(sha256: str, report: NetworkReport) -> dict[str, Any]:
    """The source of a network, and how far its outputs are from the source's."""
    reference: Difference = report.reference
    return {
        "source_sha256": sha256,
        "nodes": report.steps[-1].after,
        "largest_difference": reference.largest,
        "agreement": reference.agreement,
        "unrecognised": list(report.slow),
        "core_difference": report.core.difference.largest if report.core and report.core.difference else None,
        "float16_agreement": report.float16.difference.agreement if report.float16.difference else None,
    }


def _check_target(target: Path, force: bool) -> None:
    """Refuse now what `bundle.write` would refuse after minutes of work."""
    if is_there(target, OutputError) and target.is_file():
        raise OutputError(f"{target} is a file; give a new folder.")
    if target.is_dir() and any(target.iterdir()):
        if not (target / bundles.MANIFEST).is_file():
            raise OutputError(f"{target} holds something other than a bundle; give a new folder.")
        if not force:
            raise OutputError(f"{target} exists already; give a new folder, or --force to replace it.")
    parent = next(folder for folder in target.resolve().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{target} cannot be written: {parent} is not a folder that you may write to.")


def _pipeline(parameters: str | os.PathLike[str] | Mapping[str, Any] | None) -> bundles.PipelineParameters:
    """The released pipeline's parameters, with the changes in `parameters`."""
    if parameters is None:
        return bundles.PipelineParameters()
    where = "The pipeline's parameters"
    document: Any = parameters
    if not isinstance(parameters, Mapping):
        where = str(parameters)
        try:
            document = json.loads(Path(parameters).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ExportError(f"{where} cannot be read as JSON: {error}.") from error
    if not isinstance(document, Mapping):
        raise ExportError(
            f"{where}: found {type(document).__name__}, expected an object like a manifest's pipeline."
        )
    merged = _merge(dataclasses.asdict(bundles.PipelineParameters()), document)
    try:
        return decode(bundles.PipelineParameters, merged)
    except BundleError as error:
        reason = str(error).removeprefix("manifest.json: ")
        raise ExportError(f"{where}: {reason}") from error


def _merge(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        inner = merged.get(key)
        merged[key] = (
            _merge(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
        )
    return merged
