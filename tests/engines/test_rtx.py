"""TensorRT-RTX itself, which builds without a GPU: the command, the files, the manifest, `info`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.cli import run
from efficientscn_trt.engines import BuildOptions, api
from efficientscn_trt.engines.build import build_engines
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version, load
from efficientscn_trt.engines.log import make_logger
from efficientscn_trt.errors import DeviceError
from efficientscn_trt.segmenter import DEMO_BUNDLE

VERSION = installed_version(TENSORRT_RTX)
pytestmark = pytest.mark.skipif(VERSION is None, reason="TensorRT-RTX is not installed")


def test_build_and_info(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", str(bundle.path), "--target", "tensorrt-rtx"]) == 0
    shown = capsys.readouterr().out
    assert f"fp16 engines, tensorrt-rtx {VERSION}" in shown
    assert "Layers in float32" in shown
    built = bundles.load(bundle.path)
    for engine in built.manifest.engines:
        assert engine.version == VERSION
        assert engine.file in shown.replace("\n", "")
        assert bundles.sha256(built.path / engine.file) == engine.sha256
        assert engine.activation_memory is not None
    segmentation = built.manifest.engines[1].activation_memory
    assert segmentation is not None
    assert segmentation.largest > segmentation.typical > 0
    assert run(["info", str(bundle.path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["bundle"]["engines"]) == 2


def test_the_types_that_are_followed_are_those_that_tensorrt_tells() -> None:
    """TensorRT-RTX's networks are strongly typed, so the types that it reports are right."""
    trt = load(TENSORRT_RTX)
    log = make_logger(trt, None)
    builder = trt.Builder(log)
    network = builder.create_network(api.network_flags(trt))
    parser = trt.OnnxParser(network, log)
    assert parser.parse_from_file(str(DEMO_BUNDLE / "segmentation.float16.onnx"))
    followed = {layer.name for layer in api.float32_layers(trt, network)}
    told = {
        layer.name
        for layer in (network.get_layer(index) for index in range(network.num_layers))
        if layer.get_output(0).dtype == trt.float32 and layer.type.name not in ("CAST", "CONSTANT", "SHUFFLE")
    }
    assert followed == told
    assert len(told) > 10


def test_a_workspace_that_is_too_small_is_named(tmp_path: Path) -> None:
    demo = bundles.load(shutil.copytree(DEMO_BUNDLE, tmp_path / "demo"))
    options = BuildOptions(compute_capabilities=("8.9",), workspace=1 << 20)
    with pytest.raises(DeviceError, match="workspace limit") as found:  # TensorRT-RTX's own words
        build_engines(demo, "tensorrt-rtx", options)
    assert "--workspace 1 may be too little; give more, or leave it out." in str(found.value)
    assert bundles.load(demo.path).manifest.engines == ()


@pytest.mark.parametrize("level", ["0", "5"])
def test_every_optimization_level_builds(level: str, bundle: Bundle) -> None:
    command = ["build", str(bundle.path), "--target", "tensorrt-rtx", "--compute-capability", "8.9"]
    assert run([*command, "--optimization-level", level, "--quiet"]) == 0
    assert len(bundles.load(bundle.path).manifest.engines) == 2


def test_timings_are_refused(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["build", str(bundle.path), "--target", "tensorrt-rtx"]
    for option in (["--timing-cache", "timings"], ["--error-on-timing-cache-miss"]):
        assert run([*command, *option]) == 6
        assert capsys.readouterr().err == (
            "Error: TensorRT-RTX times no kernels when it builds, so it has no timing cache; "
            f"leave {option[0]} out.\n"
        )


def test_turing_and_fp32_are_engines_of_their_own(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["build", str(bundle.path), "--target", "tensorrt-rtx", "--quiet"]
    assert run([*command, "--compute-capability", "7.5", "--workspace", "64"]) == 0
    assert capsys.readouterr().err == (
        "Warning: TensorRT-RTX runs no 3-D convolutions on GPUs of compute capability 7.5, according to its "
        "support matrix. These engines do not run on those GPUs; build for TensorRT there.\n"
    )
    assert (
        run([*command, "--precision", "fp32", "--compute-capability", "8.9", "--compute-capability", "12.0"])
        == 0
    )
    assert capsys.readouterr().err == ""
    engines = bundles.load(bundle.path).manifest.engines
    assert [(engine.precision, engine.compute_capabilities) for engine in engines] == [
        *[("fp16", ("7.5",))] * 2,
        *[("fp32", ("8.9", "12.0"))] * 2,
    ]


def test_verbose_prints_what_tensorrt_says(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", str(bundle.path), "--target", "tensorrt-rtx", "--verbose"]) == 0
    captured = capsys.readouterr()
    assert "Total Activation Memory" in captured.err
    assert "in float32: " in captured.out


@pytest.mark.parametrize(
    ("precision", "form", "code", "sentence"),
    [
        ("fp16", ".float16", 4, "localization.float16.onnx cannot be compared with the float32 network"),
        ("fp32", "", 6, "--verbose"),
    ],
)
def test_a_network_that_cannot_be_parsed(
    precision: str,
    form: str,
    code: int,
    sentence: str,
    bundle: Bundle,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its hash is right, its content is not a network."""
    file = bundle.path / f"localization{form}.onnx"
    before = bundles.sha256(file)
    file.write_bytes(b"not a network")
    manifest = bundle.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace(before, bundles.sha256(file)))
    assert run(["build", str(bundle.path), "--target", "tensorrt-rtx", "--precision", precision]) == code
    error = capsys.readouterr().err
    assert "cannot " in error
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ["--target", "tensorrt-rtx", "--compute-capability", "9.0"],
            6,
            "cannot build for the compute capab",
        ),
        (["--target", "tensorrt-lean"], 2, "is not one of 'tensorrt', 'tensorrt-rtx'"),
        ([], 2, "Missing option '--target'"),
    ],
)
def test_wrong_requests(
    bundle: Bundle, arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["build", str(bundle.path), *arguments]) == code
    assert sentence in capsys.readouterr().err
    assert not (bundle.path / "engines").exists()


def test_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", str(tmp_path / "nothing"), "--target", "tensorrt-rtx"]) == 4
    assert "There is no bundle at" in capsys.readouterr().err
