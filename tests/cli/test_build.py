"""`build`: how its options reach the build. Real builds are in tests/engines/test_rtx.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engines import H100, machine, use_fakes

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
