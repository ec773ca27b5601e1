"""`inspect`: what it prints of an engine. What it finds out is tested in tests/engines/test_inspection.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.engines import H100, RTX_4090, machine
from support.plans import SM_89, rtx_plan

from efficientscn_trt import engines
from efficientscn_trt.cli import run as command
from efficientscn_trt.engines import Gpu, inspection

PLAN = rtx_plan(bits=SM_89 | 1 << 6)
"""For 8.9 and for something newer."""


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(inspection, "installed", lambda flavour: None)
    path = tmp_path / "some.engine"
    path.write_bytes(PLAN)
    return path


@pytest.mark.parametrize(
    ("gpu", "answer", "sentence"),
    [
        (RTX_4090, "yes", None),
        (H100, "perhaps", "It is also for GPUs whose compute capability this version of"),
        (None, "no", "No NVIDIA GPU with a driver was found here."),
    ],
)
def test_the_table(
    gpu: Gpu | None,
    answer: str,
    sentence: str | None,
    plan: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(engines, "this_machine", lambda number: machine(gpu))
    assert command(["inspect", str(plan)]) == 0
    shown = capsys.readouterr().out
    rows = dict(line.strip().split("  ", 1) for line in shown.splitlines() if "  " in line.strip())
    assert rows["Built by"].strip() == "TensorRT-RTX 1.7.1.116"
    assert rows["Compute capability"].strip() == "8.9 and others"
    assert rows["Could run here"].strip() == answer
    assert sentence is None or sentence in shown


def test_json(plan: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[int] = []

    def this_machine(number: int) -> engines.Machine:
        asked.append(number)
        return machine(None)

    monkeypatch.setattr(engines, "this_machine", this_machine)
    assert command(["inspect", str(plan), "--json", "--device", "cuda:1"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["path"], found["could_run"], found["validity"]) == (str(plan), False, None)
    assert found["header"] == {
        "flavour": "tensorrt-rtx",
        "version": "1.7.1.116",
        "serialization": None,
        "compute_capabilities": ["8.9"],
        "newer": True,
        "bytes": 200,
    }
    assert asked == [1]


def test_several_plans(
    plan: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engines, "this_machine", lambda number: machine(RTX_4090))
    other = plan.with_name("other.engine")
    other.write_bytes(PLAN)
    assert command(["inspect", str(plan), str(other)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("Built by") == 2
    assert shown.index(plan.name) < shown.index(other.name)


def test_what_is_no_plan(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan.write_bytes(b"\x08\x07 ONNX")
    assert command(["inspect", str(plan)]) == 4
    error = capsys.readouterr().err
    assert error.startswith(
        f"Error: {plan} is no plan of TensorRT: it begins with 08 07 20 4f, expected ftrt "
    )
    assert error.count("\n") == 1
