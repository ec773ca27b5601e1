"""An export says what its networks take on this machine's CPU."""

from __future__ import annotations

import dataclasses
from math import prod

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from efficientscn_trt.bundle import Bundle, load
from efficientscn_trt.export.cpu_run import run_on_cpu
from efficientscn_trt.segmenter import DEMO_BUNDLE


def _runs_at(segmentation: tuple[int, int, int], bundle: Bundle) -> tuple[str, str]:
    runs = run_on_cpu(
        bundle,
        {
            "localization": np.zeros((1, 1, 32, 32, 48), np.float32),
            "segmentation": np.zeros((1, 1, *segmentation), np.float32),
        },
        {"localization": "", "segmentation": ""},
    )
    assert [run.size for run in runs] == [(32, 32, 48), segmentation]
    assert all(run.seconds > 0 and run.bytes > 4 * prod(run.size) for run in runs)
    first, second = runs
    return str(first), str(second)


def test_the_core_runs_them() -> None:
    localization, segmentation = _runs_at((32, 64, 32), load(DEMO_BUNDLE))
    assert localization.startswith("The CPU core runs it, here at 32 × 32 × 48 voxels, in 0.")
    assert segmentation.startswith("The CPU core runs it, here at 32 × 64 × 32 voxels, in 0.")


def test_sizes_that_the_core_cannot_take() -> None:
    bundle = load(DEMO_BUNDLE)
    pipeline = bundle.manifest.pipeline
    stage = dataclasses.replace(pipeline.segmentation, valid_sizes=((32, 48),) * 3)
    manifest = dataclasses.replace(
        bundle.manifest, pipeline=dataclasses.replace(pipeline, segmentation=stage)
    )
    localization, segmentation = _runs_at((32, 32, 32), dataclasses.replace(bundle, manifest=manifest))
    assert localization.startswith("The CPU core runs it")
    assert segmentation.startswith(
        "The CPU core cannot run it, because valid_sizes of --parameters has sizes that it cannot take. "
        "OpenVINO runs it, here at 32 × 32 × 32 voxels, in "
    )
