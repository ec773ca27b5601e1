"""The steps of `gpu_check.py` that compare and measure, with networks in NumPy, and what the report says."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.check_context import check_context
from support.fake_memory import GpuMemory

from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import Gpu, Machine

pytestmark = pytest.mark.usefixtures("_own_cache")


@pytest.fixture
def context(tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Any:
    """See `check_context`."""
    return check_context(tmp_path, tiny_bundle, monkeypatch, GpuMemory())


def test_the_comparison_passes_for_equal_results_and_fails_for_others(context: Any) -> None:
    from on_gpu.reference import ReferenceScan, reference_scans
    from on_gpu.steps import compare

    found = compare.run(context)
    assert found["state"] == "ok", found["checks"]
    assert found["scans"]["blocks"]["box_equal"]
    assert found["scans"]["blocks"]["probabilities_largest"] < 1e-2

    (scan,) = reference_scans(context.reference)
    other = ReferenceScan(**(vars(scan) | {"labels": np.roll(scan.labels, 3, 2)}))
    other.write(Path(context.reference))
    assert compare.run(context)["checks"] == {"blocks: mask": True, "blocks: labels": False}


def test_times_and_memory(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import on_gpu.measure
    import on_gpu.reference
    from on_gpu.steps import times

    monkeypatch.setattr(on_gpu.measure, "WARM_UP", 0)
    monkeypatch.setattr(on_gpu.reference, "SLICES", 40)
    monkeypatch.setattr(on_gpu.reference, "ROWS", 60)
    found = times.run(context)
    assert found["scan"] == [40, 60, 60, "int16"]
    assert 0 < found["box_voxels"] <= 40 * 60 * 60
    assert found["arena_peak_bytes"] > found["activation_bytes"] > 0
    assert set(found["host_to_host"]["stages"]) >= {"localization", "segmentation", "labels"}
    assert found["device_peak_growth_bytes"] is None or found["device_peak_growth_bytes"] >= 0
    assert list(found["checks"]) == ["arena within 1.15 activation + 32 MB"]
    shutil.copytree(context.bundle, Path(context.work, "tensorrt-fp16"))
    for card, precision, checks in (
        ("NVIDIA H100 80GB HBM3", "fp16", 3),
        ("NVIDIA H100 80GB HBM3", "fp32", 1),
        ("NVIDIA A100-SXM4-40GB", "fp16", 1),
    ):
        here = Machine("here", Gpu(0, card, "9.0", 80 << 30))
        monkeypatch.setattr(times, "machine_of", lambda flavour, here=here: here)
        assert len(times.run(replace(context, precision=precision))["checks"]) == checks


def test_every_table_of_the_report(context: Any, tmp_path: Path) -> None:
    from on_gpu.report import markdown
    from on_gpu.steps import compare

    way = {"wall": {"median": 0.02, "p90": 0.021, "count": 3}, "all_else": 0.005, "all_else_share": 0.25}
    way |= {"stages": {"localization": 0.002, "segmentation": 0.012, "labels": 0.001}, "networks": 0.014}
    network = {"build_seconds": 31.0, "bytes": 15_000_000, "activation": None, "float32_layers": 7}
    steps = {
        "t/engines": {"state": "ok", "version": "8.5.3.1", "engines": {"segmentation": network}},
        "t/compare": compare.run(context),
        "t/times": {
            "state": "ok",
            "scan": [120, 512, 512, "int16"],
            "segmentation_size": [96, 128, 160],
            "load_seconds": 1.0,
            "first_seconds": 0.1,
            "host_to_host": way,
            "host_to_host_without_graphs": way,
            "replayed": True,
            "device_to_device": way,
            "host_threads": {"1": way["wall"]},
            "copy": {"to_device_gb_s": 9.0, "from_device_gb_s": 8.0},
            "activation_bytes": 600_000_000,
            "arena_peak_bytes": 650_000_000,
            "device_peak_growth_bytes": None,
        },
        "pytorch": {
            "state": "ok",
            "versions": {"torch": "2.11"},
            "networks": {
                "segmentation": {
                    "size": [96, 128, 160],
                    "eager": {"median": 0.03},
                    "compile": {"error": "no"},
                }
            },
        },
    }
    text = markdown(steps)
    for part in (
        "20.00 (21.00)",
        "| 5.00 (25%) |",
        "unknown | unknown | 7",
        "| 12.00 | 30.00 | no |",
        "arena 650 MB",
    ):
        assert part in text
