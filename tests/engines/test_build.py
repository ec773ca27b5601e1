"""A build adds all its engines to a bundle with a record of each, or adds none and says why."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.engines import H100, RTX, RTX_4090, TENSORRT, machine, use_fakes, with_engines

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle import Bundle, PipelineParameters, Verification
from efficientscn_trt.engines import BuildOptions, EngineChoice, Gpu, store
from efficientscn_trt.engines.build import NotRun, build_engines, describe_engines
from efficientscn_trt.engines.machine import this_platform
from efficientscn_trt.engines.options import PRECISIONS
from efficientscn_trt.engines.profiles import profile_for
from efficientscn_trt.errors import BundleError, DeviceError, FidelityError, OutputError


def listing(bundle: Bundle) -> dict[str, bytes]:
    return {
        str(file.relative_to(bundle.path)): file.read_bytes()
        for file in sorted(bundle.path.rglob("*"))
        if file.is_file()
    }


def test_the_record_has_everything_that_decides(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fakes(monkeypatch)
    report = build_engines(bundle, "tensorrt-rtx", machine=machine(None))
    assert [built.engine for built in report.engines] == list(report.bundle.manifest.engines)
    engine = report.engines[1].engine
    assert (engine.network, engine.flavour, engine.version) == ("segmentation", "tensorrt-rtx", RTX)
    assert (engine.platform, engine.precision) == (this_platform(), "fp16")
    assert engine.compute_capabilities == ("8.0", "8.6", "8.9", "12.0")
    assert engine.profiles == (profile_for("segmentation", PipelineParameters()),)
    assert engine.onnx_sha256 == bundles.sha256(bundle.path / "segmentation.float16.onnx")
    file = bundle.path / engine.file
    assert (engine.sha256, engine.bytes) == (bundles.sha256(file), file.stat().st_size)
    assert engine.activation_memory == bundles.ActivationMemory(500, 500)
    assert engine.timed_on is None
    assert report.engines[1].float32_layers == ("entropy",)
    assert report.engines[1].seconds >= 0


def test_engines_are_built_from_the_form_of_the_precision(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes = use_fakes(monkeypatch)
    build_engines(bundle, "tensorrt", machine=machine(H100))
    build_engines(bundle, "tensorrt", BuildOptions(precision="fp32"), machine=machine(H100))
    read = [call[1] for call in fakes["tensorrt"].calls if call[0] == "parse"]
    assert read == [
        bundle.file(name, form).read_bytes() for form in ("fp16", "fp32") for name in bundles.NETWORKS
    ]


def test_profiles_come_from_the_valid_sizes() -> None:
    profile = profile_for("localization", PipelineParameters())
    assert dataclasses.astuple(profile) == ((32, 32, 32), (64, 80, 80), (256, 80, 80))
    profile = profile_for("segmentation", PipelineParameters())
    assert dataclasses.astuple(profile) == ((32, 32, 32), (96, 128, 160), (160, 128, 160))
    small = bundles.SegmentationParameters(valid_sizes=((32, 64), (96,), (64, 128, 256)))
    profile = profile_for("segmentation", PipelineParameters(segmentation=small))
    assert dataclasses.astuple(profile) == ((32, 96, 64), (64, 96, 256), (64, 96, 256))


def test_tensorrt_builds_for_the_gpu_here(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fakes(monkeypatch)
    engine = build_engines(bundle, "tensorrt", machine=machine(H100)).engines[0].engine
    assert (engine.compute_capabilities, engine.version) == (("9.0",), TENSORRT)
    assert engine.timed_on == H100.name


@pytest.mark.parametrize(
    ("version", "options", "sentence"),
    [
        (
            "8.5.3.1",
            {"optimization_level": 3},
            r"^TensorRT 8\.5\.3\.1 has no optimization levels; install 8\.6 or newer, or leave "
            r"--optimization-level out\.$",
        ),
        (
            "8.6.1",
            {"error_on_timing_cache_miss": True},
            r"^TensorRT 8\.6\.1 cannot end a build where a timing is missing; install 10 or newer, or leave "
            r"--error-on-timing-cache-miss out\.$",
        ),
        (TENSORRT, {"optimization_level": 6}, r"no optimization level 6, expected one from 0 to 5\.$"),
    ],
)
def test_options_that_a_version_lacks(
    version: str,
    options: dict[str, Any],
    sentence: str,
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_fakes(monkeypatch, tensorrt=version)
    with pytest.raises(DeviceError, match=sentence):
        describe_engines(bundle, "tensorrt", BuildOptions(**options), machine=machine(H100))


def test_progress_is_reported_for_each_network(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fakes(monkeypatch)
    told: list[Any] = []

    def begin(network: str) -> Any:
        told.append(network)
        return lambda phase, done, steps: told.append((phase, done, steps))

    build_engines(bundle, "tensorrt", machine=machine(H100), progress=begin)
    phases = [("Building engine", done, 2) for done in (0, 1, 2)]
    assert told == ["localization", *phases, "segmentation", *phases]


def test_current_is_the_gpu_here(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = use_fakes(monkeypatch)
    options = BuildOptions(compute_capabilities=("current",))
    report = build_engines(bundle, "tensorrt-rtx", options, machine=machine(RTX_4090))
    assert report.engines[0].engine.compute_capabilities == ("8.9",)
    assert ("capability", "CURRENT") in fakes["tensorrt-rtx"].calls


@pytest.mark.parametrize(
    ("target", "gpu", "capabilities", "sentence"),
    [
        (
            "tensorrt",
            None,
            (),
            r"TensorRT builds an engine on the GPU that will run it, and no NVIDIA GPU was found",
        ),
        (
            "tensorrt",
            H100,
            ("8.9",),
            r"builds only for the GPU here, NVIDIA H100 of compute capability 9\.0; leave the",
        ),
        (
            "tensorrt-rtx",
            None,
            ("9.0",),
            r"cannot build for the compute capability 9\.0, expected one of 7\.5, 8\.0",
        ),
        (
            "tensorrt-rtx",
            None,
            ("current",),
            r"No NVIDIA GPU was found here, so there is no current compute cap",
        ),
    ],
)
def test_what_cannot_be_built_for_is_said_first(
    bundle: Bundle,
    target: str,
    gpu: Any,
    capabilities: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fakes = use_fakes(monkeypatch)
    with pytest.raises(DeviceError, match=sentence):
        build_engines(bundle, target, BuildOptions(compute_capabilities=capabilities), machine=machine(gpu))
    assert fakes[target].calls == []


def test_a_runtime_without_a_builder(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = use_fakes(monkeypatch)
    del fakes["tensorrt"].Builder
    with pytest.raises(DeviceError, match=r"runs engines but cannot build any; run: pip install tensorrt\."):
        build_engines(bundle, "tensorrt", machine=machine(H100))


@pytest.mark.parametrize(
    ("target", "version", "sentence"),
    [
        (
            "tensorrt",
            "8.5.3.1",
            r"8\.5\.3\.1 cannot build engines for its lean runtime; install 8\.6 or newer,",
        ),
        ("tensorrt-rtx", RTX, r"has no lean runtime, .*; leave --version-compatible out\."),
    ],
)
def test_engines_for_a_lean_runtime_that_is_not_there(
    bundle: Bundle, target: str, version: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes = use_fakes(monkeypatch, **{target.replace("-", "_"): version})
    with pytest.raises(DeviceError, match=sentence):
        build_engines(bundle, target, BuildOptions(version_compatible=True), machine=machine(H100))
    assert fakes[target].calls == []


def test_engines_for_the_lean_runtime_lie_beside_the_others(bundle: Bundle) -> None:
    with_engines(bundle, "tensorrt", gpu=H100)
    both = with_engines(bundles.load(bundle.path), "tensorrt", gpu=H100, version_compatible=True)
    assert [engine.version_compatible for engine in both.manifest.engines] == [False, False, True, True]


def test_a_bundle_without_float16_forms(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fakes(monkeypatch)
    file = bundle.path / "manifest.json"
    document = json.loads(file.read_text())
    for network in document["networks"].values():
        network["float16"] = None
    file.write_text(json.dumps(document))
    plain = bundles.load(bundle.path)
    with pytest.raises(
        BundleError, match="no float16 form of the localization network; export the bundle again"
    ):
        build_engines(plain, "tensorrt-rtx", machine=machine())
    float32 = BuildOptions(precision="fp32")
    assert len(build_engines(plain, "tensorrt-rtx", float32, machine=machine()).engines) == 2


def test_a_build_replaces_its_like_and_leaves_the_rest(bundle: Bundle) -> None:
    with_engines(bundle)
    with_engines(bundles.load(bundle.path), "tensorrt", gpu=H100)
    again = with_engines(bundles.load(bundle.path), version="1.8.0.2")
    assert [engine.version for engine in again.manifest.engines] == [
        RTX,
        RTX,
        TENSORRT,
        TENSORRT,
        "1.8.0.2",
        "1.8.0.2",
    ]
    once_more = with_engines(again)
    assert len(once_more.manifest.engines) == 6


def test_the_file_of_a_replaced_engine_goes(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    before = with_engines(bundle)
    fakes = use_fakes(monkeypatch)
    monkeypatch.setattr(
        fakes["tensorrt-rtx"].Builder, "build_serialized_network", lambda self, network, config: b"better"
    )
    after = build_engines(before, "tensorrt-rtx", machine=machine()).bundle
    files = {engine.file for engine in after.manifest.engines}
    assert {f"engines/{file.name}" for file in (after.path / "engines").iterdir()} == files
    assert not files & {engine.file for engine in before.manifest.engines}


def test_a_failed_build_leaves_the_bundle_as_it_was(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    before = listing(bundle)
    fakes = use_fakes(monkeypatch)
    fakes["tensorrt-rtx"].failure = "no kernel"
    with pytest.raises(DeviceError, match="cannot build localization"):
        build_engines(bundle, "tensorrt-rtx", machine=machine())
    assert listing(bundle) == before


@pytest.mark.parametrize("write", [1, 2, 3])
def test_a_write_that_fails_leaves_a_bundle_that_loads(
    bundle: Bundle, write: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build writes two engines and then the manifest. Whichever write fails, the manifest stays true."""
    before = with_engines(bundle, precision="fp32")
    replacing, count = store.replacing, 0

    def failing(target: Path) -> Any:
        nonlocal count
        count += 1
        if count == write:
            raise OutputError("The disk is full.")
        return replacing(target)

    monkeypatch.setattr(store, "replacing", failing)
    with pytest.raises(OutputError, match="disk is full"):
        with_engines(before)
    after = bundles.load(bundle.path)
    assert after == before
    for engine in after.manifest.engines:
        assert bundles.sha256(after.path / engine.file) == engine.sha256


class Proof:
    """A proof with a given outcome. `seen`: the engines' files, with what was in the bundle at that time."""

    def __init__(self, outcome: dict[str, Verification] | NotRun | FidelityError) -> None:
        self._outcome, self.checked = outcome, list[tuple[str, str]]()
        self.seen: list[tuple[bytes, int]] = []

    def check_network(self, bundle: Bundle, network: str, precision: str) -> None:
        self.checked.append((network, precision))

    def run_engines(self, bundle: Bundle, choice: EngineChoice, gpu: Gpu | None) -> Any:
        engines = len(bundles.load(bundle.path).manifest.engines)
        self.seen = [(choice.file(network).read_bytes(), engines) for network in bundles.NETWORKS]
        if isinstance(self._outcome, FidelityError):
            raise self._outcome
        return self._outcome


VERIFIED = Verification(H100.name, "ct.nii.gz", (32, 64, 96), 0.9999, 0.999, None)


def test_engines_are_proved_before_they_are_added(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fakes(monkeypatch)
    proof = Proof(dict.fromkeys(bundles.NETWORKS, VERIFIED))
    report = build_engines(bundle, "tensorrt", machine=machine(H100), proof=proof)
    assert proof.checked == [(network, "fp16") for network in bundles.NETWORKS]
    engines = bundles.load(bundle.path).manifest.engines
    assert proof.seen == [((bundle.path / engine.file).read_bytes(), 0) for engine in engines]
    assert [engine.verified for engine in engines] == [VERIFIED] * 2
    assert [built.engine for built in report.engines] == list(engines)
    assert report.not_verified is None


def test_engines_that_cannot_run_here_are_not_verified(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fakes(monkeypatch)
    report = build_engines(bundle, "tensorrt-rtx", machine=machine(None), proof=Proof(NotRun("No GPU.")))
    assert report.not_verified == "No GPU."
    document = json.loads((bundle.path / "manifest.json").read_text())
    assert [engine["verified"] for engine in document["engines"]] == [None, None]


def test_engines_that_fail_their_proof_are_not_kept(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    with_engines(bundle, precision="fp32")
    before = listing(bundle)
    use_fakes(monkeypatch)
    with pytest.raises(FidelityError, match="black"):
        build_engines(
            bundle, "tensorrt", machine=machine(H100), proof=Proof(FidelityError("The mask is black."))
        )
    assert listing(bundle) == before


def test_two_builds_at_once_both_count(bundle: Bundle) -> None:
    """Each build read the bundle before the other had written it."""
    with_engines(bundle, compute_capabilities=("7.5",))
    assert len(with_engines(bundle).manifest.engines) == 4


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_bundle(bundle: Bundle) -> None:
    bundle.path.chmod(0o555)
    try:
        with pytest.raises(OutputError, match="copy the bundle to a folder where you may write"):
            with_engines(bundle)
    finally:
        bundle.path.chmod(0o755)


def test_a_bundle_that_cannot_take_a_folder(bundle: Bundle) -> None:
    (bundle.path / "engines").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written: file exists; copy the bundle to a folder"):
        with_engines(bundle)


def test_precisions_are_those_of_the_command_line() -> None:
    from efficientscn_trt.cli.build import build as command

    (option,) = (each for each in command.params if each.name == "precision")
    assert tuple(option.type.choices) == PRECISIONS  # type: ignore[attr-defined]
