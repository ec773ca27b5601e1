"""Compare the networks and the whole pipeline on the engines with float32 on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle.core_parameters import CoreParameters, core_parameters
from efficientscn_trt.pipeline import DevicePipeline
from efficientscn_trt.pipeline.host_stages import HostStages
from on_gpu.context import Context, judged
from on_gpu.engines import load_backend
from on_gpu.measure import run_once
from on_gpu.reference import ReferenceScan, reference_scans

#: Lowest mask Dice, and lowest shares of equal labels in the whole scan and inside the box. The shares are
#: the noise floor in docs/reference-pipeline.md: how far the released float16 mode is from float32.
MASK_DICE, WHOLE, INSIDE = 0.999, 0.9990, 0.998


def run(context: Context) -> dict[str, Any]:
    backend = load_backend(context)
    parameters = core_parameters(bundles.load(context.bundle))
    scans: dict[str, Any] = {}
    checks: dict[str, bool] = {}
    for scan in reference_scans(context.reference):
        found = _networks(scan, backend, parameters) | _pipeline(scan, backend)
        scans[scan.name] = found
        checks[f"{scan.name}: mask"] = found["mask_dice"] >= MASK_DICE
        checks[f"{scan.name}: labels"] = found["whole"] >= WHOLE and found["inside"] >= INSIDE
    return judged({"scans": scans}, checks)


def _networks(scan: ReferenceScan, backend: Any, parameters: CoreParameters) -> dict[str, Any]:
    """Compare the localization network on the scan, and the segmentation network on the reference's box."""
    stages = HostStages(scan.voxels.shape, scan.spacing, parameters)
    mask = backend.localize(stages.localization_input(scan.voxels))
    result: dict[str, Any] = {
        "mask_dice": _dice(mask, scan.mask),
        "mask_differs": int((mask != scan.mask).sum()),
        "localization_size": stages.localization.input_size,
    }
    crop, located = stages.plan_segmentation(scan.mask)
    if scan.probabilities is None or not located:
        return result
    probabilities = backend.segment(stages.segmentation_input(scan.voxels, crop))
    difference = np.abs(probabilities - scan.probabilities)
    return result | {
        "probabilities_largest": float(difference.max()),
        "probabilities_mean": float(difference.mean()),
        "argmax_equal": float((probabilities.argmax(0) == scan.probabilities.argmax(0)).mean()),
        "finite": bool(np.isfinite(probabilities).all()),
    }


def _pipeline(scan: ReferenceScan, backend: Any) -> dict[str, Any]:
    labels, run = run_once(DevicePipeline(backend), scan.voxels, scan.spacing)
    crop = tuple(
        slice(before, extent - after)
        for (before, after), extent in zip(run.segmentation.croppings, scan.voxels.shape, strict=True)
    )
    return {
        "whole": float((labels == scan.labels).mean()),
        "inside": float((labels[crop] == scan.labels[crop]).mean()),
        "dice": {
            str(label): _dice(labels == label, scan.labels == label) for label in np.unique(scan.labels)
        },
        "box_equal": bool(np.allclose([run.segmentation.box.start, run.segmentation.box.end], scan.box)),
        "segmentation_size": run.segmentation.input_size,
    }


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else 1.0
