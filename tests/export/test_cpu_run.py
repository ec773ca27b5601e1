"""An export says what its networks take on this machine's CPU."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from support.other_sizes import demo_with_sizes

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
    bundle = demo_with_sizes("segmentation", ((32, 48),) * 3)
    localization, segmentation = _runs_at((32, 32, 32), bundle)
    assert localization.startswith("The CPU core runs it")
    assert segmentation.startswith(
        "The CPU core cannot run it, because valid_sizes of --parameters has sizes that it cannot take. "
        "OpenVINO runs it, here at 32 × 32 × 32 voxels, in "
    )
