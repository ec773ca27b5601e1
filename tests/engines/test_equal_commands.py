"""The commands of NVIDIA's tools that `build` prints: their options exist, and they build the same."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import pytest
from support.engines import H100, RTX, RTX_4090, machine, use_fakes
from support.polygraphy import parse_polygraphy, run_polygraphy

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import BuildOptions, Gpu
from efficientscn_trt.engines.build import PlannedEngine, build_engines, describe_engines
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version

SECOND = dataclasses.replace(H100, index=1)

SHAPES = "--minShapes=image:1x1x32x32x32 --optShapes=image:1x1x96x128x160 --maxShapes=image:1x1x160x128x160"
"""Of the segmentation, by the valid sizes in docs/reference-pipeline.md."""

# Options by `trtexec --help`, samples/common/sampleOptions.cpp of github.com/NVIDIA/TensorRT.
KNOWN_TO_8_5 = {
    "--onnx",
    "--saveEngine",
    "--minShapes",
    "--optShapes",
    "--maxShapes",
    "--noTF32",
    "--fp16",
    "--precisionConstraints",
    "--layerPrecisions",
    "--layerOutputTypes",
    "--tacticSources",
    "--memPoolSize",
    "--device",
    "--timingCacheFile",
    "--buildOnly",
}
KNOWN_TO_8_6 = KNOWN_TO_8_5 | {
    "--skipInference",
    "--versionCompatible",
    "--excludeLeanRuntime",
    "--preview",
    "--builderOptimizationLevel",
}
KNOWN_TO_10 = (KNOWN_TO_8_6 | {"--stronglyTyped", "--errorOnTimingCacheMiss"}) - {"--buildOnly"}
KNOWN_TO_11 = KNOWN_TO_10 - {"--fp16", "--precisionConstraints", "--layerPrecisions", "--layerOutputTypes"}
KNOWN_TO_RTX = (KNOWN_TO_11 | {"--useGpu", "--computeCapabilities"}) - {"--versionCompatible"}
KNOWN = {
    "8.5.3.1": KNOWN_TO_8_5,
    "8.6.1": KNOWN_TO_8_6,
    "10.3.0": KNOWN_TO_10,
    "11.4.0.106": KNOWN_TO_11,
    RTX: KNOWN_TO_RTX,
}


def described(
    bundle: Bundle, version: str, gpu: Gpu | None, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> PlannedEngine:
    """The segmentation's engine, as a fake TensorRT of `version` would build it."""
    target = "tensorrt-rtx" if version == RTX else "tensorrt"
    use_fakes(monkeypatch, **{target.replace("-", "_"): version})
    return describe_engines(bundle, target, BuildOptions(**options), machine=machine(gpu))[1]


def lines(planned: PlannedEngine) -> tuple[str, str]:
    trtexec, polygraphy = planned.commands
    return trtexec.line, polygraphy.line


def names(line: str) -> set[str]:
    return {word.split("=")[0] for word in shlex.split(line)[1:]}


def test_8_5(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is weakly typed, so the layers in float32 are named. Only cuBLAS and cuDNN are left out."""
    planned = described(bundle, "8.5.3.1", H100, monkeypatch)
    trtexec, polygraphy = lines(planned)
    onnx = bundle.path / "segmentation.float16.onnx"
    cache = "bundle.tensorrt-8.5.3.1.NVIDIA-H100.timing-cache"
    assert trtexec == (
        f"trtexec --onnx={onnx} --saveEngine=segmentation.engine {SHAPES} --fp16 "
        "--precisionConstraints=prefer --layerPrecisions=entropy:fp32 --layerOutputTypes=entropy:fp32 "
        "--tacticSources=-CUBLAS,-CUBLAS_LT,-CUDNN "
        f"--timingCacheFile={bundle.path.with_name(cache)} --buildOnly"
    )
    found = parse_polygraphy(polygraphy)["options"]
    assert (found["fp16"], found["precision_constraints"]) == ("True", "'prefer'")
    assert planned.commands[0].lacks == ()
    assert planned.commands[1].lacks == ("the output types of the layers in float32",)
    assert "EDGE_MASK_CONVOLUTIONS" in found["tactic_sources"]
    assert "CU" not in found["tactic_sources"].replace("TacticSource", "")


def test_a_strongly_typed_version_with_every_option(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"precision": "fp32", "version_compatible": True, "workspace": 512 << 20}
    planned = described(bundle, "10.3.0", SECOND, monkeypatch, **options)
    trtexec, polygraphy = lines(planned)
    onnx, cache = bundle.path / "segmentation.onnx", "bundle.tensorrt-10.3.0.NVIDIA-H100.timing-cache"
    assert trtexec == (
        f"trtexec --onnx={onnx} --saveEngine=segmentation.engine {SHAPES} --noTF32 --stronglyTyped "
        "--tacticSources=-CUBLAS,-CUBLAS_LT,-CUDNN --memPoolSize=workspace:512 --versionCompatible "
        f"--excludeLeanRuntime --device=1 --timingCacheFile={bundle.path.with_name(cache)} --skipInference"
    )
    assert polygraphy.startswith("CUDA_VISIBLE_DEVICES=1 polygraphy convert ")
    found = parse_polygraphy(polygraphy)["options"]
    assert (found["fp16"], found["tf32"]) == ("None", "None")  # TF32 is off unless it is asked for
    assert (found["version_compatible"], found["exclude_lean_runtime"]) == ("True", "True")
    assert str(512 << 20) in found["memory_pool_limits"]
    assert found["load_timing_cache"] == repr(str(bundle.path.with_name(cache)))
    assert all(command.lacks == () for command in planned.commands)


def test_timings_and_optimization_level(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are those of `trtexec --help` and `polygraphy convert --help`."""
    timings = tmp_path / "timings"
    timings.write_bytes(b"of this GPU")
    options = {"optimization_level": 4, "timing_cache": timings, "error_on_timing_cache_miss": True}
    trtexec, polygraphy = lines(described(bundle, "10.3.0", H100, monkeypatch, **options))
    assert trtexec.endswith(
        f"--builderOptimizationLevel=4 --timingCacheFile={timings} --errorOnTimingCacheMiss --skipInference"
    )
    found = parse_polygraphy(polygraphy)["options"]
    assert found["builder_optimization_level"] == "4"
    assert found["load_timing_cache"] == repr(str(timings))
    assert found["error_on_timing_cache_miss"] == "True"


def test_11_is_strongly_typed_always(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    trtexec, polygraphy = lines(described(bundle, "11.4.0.106", H100, monkeypatch))
    assert {"--stronglyTyped", "--fp16", "--tacticSources"}.isdisjoint(names(trtexec))
    assert "--preview=+runtimeActivationResize" in trtexec
    assert "RUNTIME_ACTIVATION_RESIZE_10_10" in parse_polygraphy(polygraphy)["options"]["preview_features"]


def test_tensorrt_rtx(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = described(bundle, RTX, None, monkeypatch, compute_capabilities=("8.9", "12.0"))
    trtexec, polygraphy = lines(planned)
    assert trtexec == (
        f"tensorrt_rtx --onnx={bundle.path / 'segmentation.float16.onnx'} --saveEngine=segmentation.engine "
        f"{SHAPES} --computeCapabilities=89,120 --skipInference"
    )
    assert polygraphy.startswith("POLYGRAPHY_USE_TENSORRT_RTX=1 polygraphy convert ")
    assert parse_polygraphy(polygraphy)["options"]["compute_capabilities"] == "[(8, 9), (12, 0)]"
    assert [command.lacks for command in planned.commands] == [("REQUIRE_USER_ALLOCATION",)] * 2
    here = lines(described(bundle, RTX, RTX_4090, monkeypatch, compute_capabilities=("current",)))
    assert "--useGpu" in names(here[0])
    assert parse_polygraphy(here[1])["options"]["use_gpu"] == "True"


@pytest.mark.parametrize("version", KNOWN)
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_the_tools_know_every_option(
    version: str, precision: str, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"precision": precision, "workspace": 512 << 20}
    if version not in (RTX, "8.5.3.1"):
        options["version_compatible"] = True
    if version != "8.5.3.1":
        options["optimization_level"] = 5
    trtexec, polygraphy = lines(described(bundle, version, SECOND, monkeypatch, **options))
    assert names(trtexec) <= KNOWN[version]
    found = parse_polygraphy(polygraphy)
    form = ".float16" if precision == "fp16" else ""
    assert found["model"] == str(bundle.path / f"segmentation{form}.onnx")
    assert found["output"] == "segmentation.engine"
    sizes = [[1, 1, 32, 32, 32], [1, 1, 96, 128, 160], [1, 1, 160, 128, 160]]
    assert found["profiles"] == [{"image": sizes}]


def test_a_path_with_a_space_stays_one_word(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = bundles.load(bundle.path.rename(tmp_path / "my bundle"))
    for line in lines(described(moved, RTX, None, monkeypatch)):
        assert any(word.endswith(str(moved.path / "segmentation.float16.onnx")) for word in shlex.split(line))


def test_a_description_builds_nothing(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = use_fakes(monkeypatch)
    fakes["tensorrt"].failure = "would fail"
    before = sorted(bundle.path.rglob("*"))
    first, second = describe_engines(bundle, "tensorrt", machine=machine(H100))
    assert (first.network, second.network) == bundles.NETWORKS
    assert (second.target, second.compute_capabilities) == ("TensorRT 11.4.0.106", ("9.0",))
    assert second.float32_layers == ("entropy",)
    assert sorted(bundle.path.rglob("*")) == before
    assert not list(bundle.path.parent.glob("*.timing-cache"))


@pytest.mark.skipif(installed_version(TENSORRT_RTX) is None, reason="TensorRT-RTX is not installed")
@pytest.mark.parametrize(
    ("precision", "missing"),
    [
        ("fp16", "config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)"),
        (
            "fp32",
            "config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION); "
            "config.clear_flag(trt.BuilderFlag.TF32)",
        ),
    ],
)
def test_polygraphy_builds_the_same_bytes(
    precision: str, missing: str, bundle: Bundle, tmp_path: Path
) -> None:
    """With the command that is printed, and a script for what it says that the tool lacks.

    The networks are small, because TensorRT-RTX writes parts of larger ones in varying order.
    """
    options = BuildOptions(precision=precision, compute_capabilities=("8.9", "12.0"), workspace=256 << 20)
    report = build_engines(bundle, "tensorrt-rtx", options)
    script = tmp_path / "script.py"
    script.write_text(
        "import tensorrt_rtx as trt\n\ndef postprocess_config(builder, network, config):\n"
        f"    {missing}\n    return config\n"
    )
    for built in report.engines:
        polygraphy = built.commands[1]
        run_polygraphy(polygraphy.line, tmp_path, "--trt-config-postprocess-script", str(script))
        ours = (bundle.path / built.engine.file).read_bytes()
        assert (tmp_path / f"{built.engine.network}.engine").read_bytes() == ours
