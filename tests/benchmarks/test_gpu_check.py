"""`gpu_check.py` without a GPU: its reference, its report, and which steps run."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engines import H100, RTX, RTX_4090, machine, use_fakes
from support.scans import SPACING_XYZ, block_image

from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import Gpu

SPACING_ZYX = SPACING_XYZ[::-1]


def test_the_reference_holds_what_the_cpu_gave(context: Any, tiny_bundle: Bundle) -> None:
    from on_gpu.reference import reference_scans

    from efficientscn_trt import segment

    (scan,) = reference_scans(context.reference)
    expected = segment(block_image(), tiny_bundle, device="cpu", precision="fp32")
    np.testing.assert_array_equal(scan.labels, expected.array)
    assert scan.spacing == SPACING_ZYX
    assert scan.probabilities is not None
    assert scan.mask.any()


@pytest.mark.parametrize(
    ("gpu", "state"), [(H100, "refused"), (RTX_4090, "failed")], ids=["not listed", "listed"]
)
def test_what_tensorrt_rtx_refuses_is_recorded_with_its_message(
    gpu: Gpu, state: str, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from on_gpu.steps import engines

    fakes = use_fakes(monkeypatch)
    fakes["tensorrt-rtx"].failure = "Target GPU SM 90 is not supported by this TensorRT release."
    monkeypatch.setattr(engines, "load", lambda flavour: fakes[flavour.name])
    monkeypatch.setattr(engines, "machine_of", lambda flavour: machine(gpu, versions={flavour: RTX}))
    found = engines.run(replace(context, flavour="tensorrt-rtx"))
    assert found["state"] == state
    assert "Target GPU SM 90 is not supported by this TensorRT release." in found["reason"]
    assert ("capability", "CURRENT") in fakes["tensorrt-rtx"].calls


def test_a_refusal_fails_nothing(tmp_path: Path) -> None:
    from on_gpu.report import GpuReport

    report = GpuReport(tmp_path / "gpu")
    report.add("tensorrt-rtx-fp16/engines", {"state": "refused", "reason": "DeviceError: SM 90 | no"})
    assert report.failed == []
    text = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert r"| ⊘ tensorrt-rtx-fp16/engines | 0 | DeviceError: SM 90 \| no |" in text


def test_the_report_is_added_to_and_survives_a_restart(tmp_path: Path) -> None:
    from on_gpu.report import GpuReport

    report = GpuReport(tmp_path / "results" / "gpu")
    report.add("build", {"state": "ok", "seconds": 61.0})
    report.add("machine", {"state": "ok", "seconds": 1, "card": "NVIDIA H100", "smi": {}, "tensorrt": {}})
    again = GpuReport(tmp_path / "results" / "gpu")
    again.add(
        "kernels", {"state": "failed", "seconds": 3, "reason": "a | b", "tests": {"passed": 3, "failed": 1}}
    )
    again.add("sanitizer", {"state": "skipped", "reason": "not installed"})
    assert again.failed == ["kernels"]
    text = (tmp_path / "results" / "gpu.md").read_text(encoding="utf-8")
    assert "# GPU check on NVIDIA H100" in text
    assert "| ✗ kernels | 3 | a \\| b; 3 passed, 1 failed |" in text
    assert list(json.loads((tmp_path / "results" / "gpu.json").read_text())["steps"]) == [
        "build",
        "machine",
        "kernels",
        "sanitizer",
    ]


def test_steps_whose_needs_failed_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gpu_check

    ran: list[str] = []

    def fake(module: str, context: Any, timeout: float) -> dict[str, Any]:
        ran.append(f"{context.flavour}{context.precision}{module}")
        return {"state": "failed" if module == "engines" else "ok"}

    monkeypatch.setattr(gpu_check, "run_step", fake)
    arguments = ["--work", str(tmp_path / "work"), "--output", str(tmp_path / "gpu")]
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", *arguments])
    assert gpu_check.main() == 1
    assert ran[:4] == ["build", "machine", "kernels", "tensorrtfp16engines"]
    assert not any(name.endswith(("compare", "times")) for name in ran)
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", *arguments, "--steps", "kern"])
    ran.clear()
    gpu_check.main()
    assert ran == ["kernels"]
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", *arguments, "--steps", "nothing"])
    with pytest.raises(SystemExit, match="No step begins with nothing; the steps are build, machine"):
        gpu_check.main()


def test_a_step_that_crashes_costs_itself_alone(tmp_path: Path) -> None:
    from on_gpu.context import Context, run_step

    result = run_step("no_such_step", Context(work=str(tmp_path), reference="", repeats=1), timeout=60)
    assert result["state"] == "failed"
    assert "ModuleNotFoundError" in result["reason"]


def test_steps_say_what_this_machine_lacks(tmp_path: Path) -> None:
    from on_gpu.context import Context
    from on_gpu.steps import engines, pytorch

    from efficientscn_trt.engines.machine import find_gpus

    bare = Context(work=str(tmp_path), reference="", repeats=1, flavour="tensorrt", precision="fp16")
    assert pytorch.run(bare)["state"] == "skipped"
    if not find_gpus():
        assert engines.run(bare)["state"] == "skipped"


def test_the_script_that_another_python_runs_exists() -> None:
    from on_gpu.steps import pytorch

    assert pytorch.SCRIPT.is_file()
