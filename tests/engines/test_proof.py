"""`build` with TensorRT-RTX itself: nothing is built from a float16 network that is broken."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from support.kernels import change_weights, convolutions, scale, swap_labels, weights_of
from support.released_bundle import REPOSITORY

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.cli import run
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version
from efficientscn_trt.segmenter import DEMO_BUNDLE

pytestmark = pytest.mark.skipif(
    installed_version(TENSORRT_RTX) is None, reason="TensorRT-RTX is not installed"
)

BUILD = ("--target", "tensorrt-rtx", "--compute-capability", "8.9", "--quiet")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def demo(tmp_path: Path) -> Bundle:
    """A copy of the demo bundle."""
    return bundles.load(shutil.copytree(DEMO_BUNDLE, tmp_path / "demo"))


def overflow(values: np.ndarray) -> None:
    values[0, 0, 0, 0, 0] = np.inf  # as a weight of 1e6 in float32 becomes


EDITS = {"overflow": overflow, "scaled": scale, "swapped": swap_labels}


def break_network(bundle: Bundle, network: str, kind: str) -> str:
    """Change a kernel of the float16 `network`; the hashes stay right. Returns the broken node's result."""
    file = bundle.path / f"{network}.float16.onnx"
    before = bundles.sha256(file)
    model = ir.load(file)
    node = convolutions(model)[6]
    if kind == "swapped":
        labels = len(bundle.manifest.labels)
        node = next(each for each in convolutions(model) if len(weights_of(each)) == labels)
    change_weights(node, EDITS[kind])
    ir.save(model, file)
    manifest = bundle.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace(before, bundles.sha256(file)))
    document: dict[str, Any] = json.loads(manifest.read_text())
    document["networks"][network]["float16"]["bytes"] = file.stat().st_size
    manifest.write_text(json.dumps(document))
    return str(node.outputs[0].name)


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        ("localization", "overflow"),
        ("localization", "scaled"),
        ("segmentation", "overflow"),
        ("segmentation", "scaled"),
        ("segmentation", "swapped"),
    ],
)
def test_a_broken_float16_network(
    network: str, kind: str, demo: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    place = break_network(demo, network, kind)
    assert run(["build", str(demo.path), *BUILD]) == 8
    error = capsys.readouterr().err
    assert f"{network}.float16.onnx does not compute what {network}.onnx computes, so no engine" in error
    assert f"for equal inputs from phantom 0, the result of the Conv {place} (after the " in error
    assert ("not finite" in error) == (kind == "overflow")
    assert error.endswith("Export the bundle again, or use --precision fp32.\n")
    assert not (demo.path / "engines").exists()
    assert run(["build", str(demo.path), *BUILD, "--precision", "fp32"]) == 0


def test_a_sound_network_on_a_ct(demo: Bundle, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ct = shared / "data" / "ct" / "example_ct.nii.gz"
    options = [option for option in BUILD if option != "--quiet"]
    assert run(["build", str(demo.path), *options, "--check-input", str(ct)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "Not verified yet: No NVIDIA GPU with a driver was found here. The first GPU that" in shown.out
    assert all(engine.verified is None for engine in bundles.load(demo.path).manifest.engines)


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_a_check_input_that_is_no_ct(
    precision: str, demo: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--precision", precision, "--check-input", str(REPOSITORY / "README.md")]
    assert run(["build", str(demo.path), *BUILD, *options]) == 3
    assert "README.md" in capsys.readouterr().err
    assert not (demo.path / "engines").exists()


def test_without_onnx_runtime_the_layers_are_not_checked_and_that_is_said(
    demo: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in list(sys.modules):
        if name.startswith("efficientscn_trt.export."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert run(["build", str(demo.path), *BUILD]) == 0
    assert capsys.readouterr().err == (
        "Warning: The layers of the float16 networks were not checked, because the Python package "
        "onnxruntime is not installed; run: pip install onnx onnx-ir onnxruntime.\n"
    )
