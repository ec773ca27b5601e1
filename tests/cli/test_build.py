"""`build`: how its options reach the build. Real builds are in tests/engines/test_rtx.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engines import H100, TENSORRT, machine, use_fakes

from efficientscn_trt import bundle as bundles
from efficientscn_trt import engines
from efficientscn_trt.cli import run as command
from efficientscn_trt.engines import Machine


@pytest.fixture
def thresholds(tmp_path: Path) -> bundles.Bundle:
    """A bundle of HU thresholds that may be changed."""
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    return write_tiny_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(("device", "index"), [((), 0), (("--device", "cuda:1"), 1)])
def test_the_gpu_to_build_on(
    device: tuple[str, ...], index: int, thresholds: bundles.Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    use_fakes(monkeypatch)

    def this_machine(number: int) -> Machine:
        asked.append(number)
        return machine(H100)

    monkeypatch.setattr(engines, "this_machine", this_machine)
    options = ["--target", "tensorrt", "--precision", "fp32", "--quiet", *device]
    assert command(["build", str(thresholds.path), *options]) == 0
    assert asked == [index]
    assert len(bundles.load(thresholds.path).manifest.engines) == 2


def test_engines_for_the_lean_runtime(thresholds: bundles.Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fakes(monkeypatch)
    monkeypatch.setattr(engines, "this_machine", lambda number: machine(H100))
    options = ["--target", "tensorrt", "--precision", "fp32", "--quiet", "--version-compatible"]
    assert command(["build", str(thresholds.path), *options]) == 0
    assert all(engine.version_compatible for engine in bundles.load(thresholds.path).manifest.engines)


def test_a_dry_run_prints_what_it_would_build(
    thresholds: bundles.Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_fakes(monkeypatch)
    monkeypatch.setattr(engines, "this_machine", lambda number: machine(H100))
    options = ["--target", "tensorrt", "--precision", "fp32", "--workspace", "512", "--dry-run"]
    assert command(["build", str(thresholds.path), *options]) == 0
    shown = capsys.readouterr().out
    assert f"fp32 engines, TensorRT {TENSORRT}: nothing was built" in shown
    for size in ("32×32×32", "64×80×80", "256×80×80"):
        assert size in shown
    commands = [line.strip() for line in shown.splitlines() if line.startswith("  ")]
    assert [line.split()[0] for line in commands[-4:]] == ["trtexec", "polygraphy"] * 2
    assert all(f"{thresholds.path}/localization.onnx" in line for line in commands[-4:-2])
    assert bundles.load(thresholds.path).manifest.engines == ()


def test_a_dry_run_refuses_what_a_build_refuses(
    thresholds: bundles.Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes = use_fakes(monkeypatch)
    fakes["tensorrt-rtx"].unreadable = "no such operator"
    monkeypatch.setattr(engines, "this_machine", lambda number: machine(None))
    options = ["--dry-run", "--precision", "fp32"]
    assert command(["build", str(thresholds.path), "--target", "tensorrt", *options]) == 6
    assert "no NVIDIA GPU was found here" in capsys.readouterr().err
    assert command(["build", str(thresholds.path), "--target", "tensorrt-rtx", *options]) == 6
    assert "localization.onnx: no such operator." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("device", "code", "sentence"),
    [
        ("cuda:99", 6, "There is no GPU 99 here: this machine has"),
        ("cpu", 2, "'cpu' is not 'cuda'"),
    ],
)
def test_a_gpu_that_is_not_there(
    device: str, code: int, sentence: str, thresholds: bundles.Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["build", str(thresholds.path), "--target", "tensorrt", "--device", device]) == code
    assert sentence in capsys.readouterr().err
