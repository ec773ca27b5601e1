"""How versions of TensorRT differ when an engine is built, one test per difference."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.fake_tensorrt import ACTIVATION_OF_LARGEST, ACTIVATION_OF_SHAPE, fake_tensorrt

from efficientscn_trt.bundle import Profile
from efficientscn_trt.engines import BuildOptions, api
from efficientscn_trt.engines.builder import NetworkBuilder, OnnxFile, Plan
from efficientscn_trt.engines.flavours import TENSORRT, TENSORRT_RTX
from efficientscn_trt.engines.log import make_logger
from efficientscn_trt.engines.options import DEFAULT
from efficientscn_trt.engines.target import Target
from efficientscn_trt.errors import DeviceError

OLD, EIGHT_SIX, TEN, ELEVEN, RTX = "8.5.3.1", "8.6.1", "10.3.0", "11.4.0.106", "1.7.1.116"
PROFILE = Profile((32, 32, 32), (96, 128, 160), (160, 128, 160))


def builder_of(
    trt: Any,
    options: BuildOptions = DEFAULT,
    cache: bytes | None = None,
    *,
    to_set: tuple[str, ...] = (),
    **more: Any,
) -> NetworkBuilder:
    flavour = TENSORRT_RTX if trt.__version__ == RTX else TENSORRT
    return NetworkBuilder(Target(flavour, trt, None, to_set, to_set), options, cache, **more)


ONNX = OnnxFile(Path("network.onnx"), b"a network")


def build(trt: Any, *arguments: Any, can_load: bool = True, progress: Any = None, **more: Any) -> Plan:
    builder = builder_of(trt, *arguments, **more)
    return builder.build(ONNX, PROFILE, can_load=can_load, progress=progress)


def calls(trt: Any, name: str) -> list[tuple[object, ...]]:
    return [call[1:] for call in trt.calls if call[0] == name]


def flag(trt: Any, name: str) -> int:
    return 1 << int(getattr(trt.NetworkDefinitionCreationFlag, name))


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX])
def test_8_wants_an_explicit_batch(version: str) -> None:
    trt = fake_tensorrt(version)
    build(trt)
    assert calls(trt, "create_network") == [(flag(trt, "EXPLICIT_BATCH"),)]


@pytest.mark.parametrize("version", [TEN, ELEVEN, RTX])
def test_newer_networks_are_strongly_typed_and_need_no_precision_flag(version: str) -> None:
    trt = fake_tensorrt(version)
    build(trt)
    assert set(calls(trt, "create_network")) == {(flag(trt, "STRONGLY_TYPED"),)}
    assert not {("FP16",), ("PREFER_PRECISION_CONSTRAINTS",)} & set(calls(trt, "set_flag"))
    assert {layer.precision for layer in trt.layers} == {None}


def test_a_logger_outlives_its_builder() -> None:
    """TensorRT may still write messages of another builder to it."""
    gone = weakref.ref(make_logger(fake_tensorrt(TEN), None))
    gc.collect()
    assert gone() is not None


def test_a_version_without_creation_flags_gets_none() -> None:
    trt = SimpleNamespace(NetworkDefinitionCreationFlag=SimpleNamespace(), BuilderFlag=SimpleNamespace())
    assert api.network_flags(trt) == 0
    assert not api.is_weakly_typed(trt)


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX])
def test_8_is_given_the_float16_flag_and_where_it_may_not_use_it(version: str) -> None:
    trt = fake_tensorrt(version)
    build(trt)
    assert calls(trt, "set_flag") == [("FP16",), ("PREFER_PRECISION_CONSTRAINTS",)]
    constrained = {layer.name: layer.precision for layer in trt.layers if layer.precision is not None}
    assert constrained == {"entropy": "float32"}
    layers = {layer.name: layer for layer in trt.layers}
    assert layers["entropy"].get_output_type(0) == "float32"
    assert not layers["convolution"].output_type_is_set(0)


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX, TEN, ELEVEN, RTX])
def test_the_layers_in_float32_are_those_between_the_casts(version: str) -> None:
    assert build(fake_tensorrt(version)).network.float32_layers == ("entropy",)


@pytest.mark.parametrize("version", [EIGHT_SIX, TEN, ELEVEN])
def test_engines_for_the_lean_runtime_hold_no_copy_of_it(version: str) -> None:
    trt = fake_tensorrt(version)
    assert api.makes_version_compatible(trt)
    build(trt, BuildOptions("fp32", version_compatible=True))
    assert calls(trt, "set_flag") == [("VERSION_COMPATIBLE",), ("EXCLUDE_LEAN_RUNTIME",)]


def test_8_5_makes_no_engines_for_the_lean_runtime() -> None:
    assert not api.makes_version_compatible(fake_tensorrt(OLD))


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX, TEN, ELEVEN, RTX])
def test_fp32_means_float32_and_not_tf32(version: str) -> None:
    trt = fake_tensorrt(version)
    build(trt, BuildOptions("fp32"))
    assert set(calls(trt, "clear_flag")) == {("TF32",)}
    assert not {("FP16",), ("PREFER_PRECISION_CONSTRAINTS",)} & set(calls(trt, "set_flag"))


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX, TEN])
def test_cublas_and_cudnn_are_left_out(version: str) -> None:
    trt = fake_tensorrt(version)
    build(trt)
    assert calls(trt, "tactics") == [(["EDGE_MASK_CONVOLUTIONS", "JIT_CONVOLUTIONS"],)]


@pytest.mark.parametrize("version", [ELEVEN, RTX])
def test_where_there_are_no_other_libraries_the_tactics_are_left_alone(version: str) -> None:
    trt = fake_tensorrt(version)
    build(trt)
    assert calls(trt, "tactics") == []


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX])
def test_8_builds_without_telling_its_progress(version: str) -> None:
    told: list[tuple[str, int, int]] = []
    build(fake_tensorrt(version), progress=lambda *step: told.append(step))
    assert told == []


@pytest.mark.parametrize("version", [TEN, ELEVEN, RTX])
def test_newer_versions_report_their_progress(version: str) -> None:
    told: list[tuple[str, int, int]] = []
    build(fake_tensorrt(version), progress=lambda *step: told.append(step))
    assert told == [("Building engine", done, 2) for done in (0, 1, 2)]


def test_rtx_builds_for_the_gpus_that_are_asked_for() -> None:
    trt = fake_tensorrt(RTX)
    assert list(api.selectable_capabilities(trt)) == ["7.5", "8.0", "8.6", "8.9", "12.0"]
    build(trt, to_set=("7.5", "12.0"))
    assert calls(trt, "capability") == [("SM75",), ("SM120",)]
    build(trt, to_set=("current",))
    assert calls(trt, "capability")[2:] == [("CURRENT",)]


def test_a_gpu_that_rtx_lists_but_refuses() -> None:
    trt = fake_tensorrt(RTX)
    trt.refused = "CURRENT"
    with pytest.raises(
        DeviceError, match=r"does not build for the compute capability current: it gives no reason\."
    ):
        build(trt, to_set=("current",))


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX, TEN, ELEVEN])
def test_the_others_have_no_choice_of_gpu(version: str) -> None:
    assert api.selectable_capabilities(fake_tensorrt(version)) == {}


@pytest.mark.parametrize(("version", "asked"), [(OLD, False), (TEN, False), (ELEVEN, True), (RTX, True)])
def test_the_memory_of_fused_layers_follows_the_shape_where_it_can(version: str, asked: bool) -> None:
    trt = fake_tensorrt(version)
    build(trt)
    assert set(calls(trt, "preview")) == ({("RUNTIME_ACTIVATION_RESIZE_10_10", True)} if asked else set())


def test_rtx_allocates_no_scratch_by_itself() -> None:
    trt = fake_tensorrt(RTX)
    build(trt)
    assert set(calls(trt, "set_flag")) == {("REQUIRE_USER_ALLOCATION",)}


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX])
def test_the_memory_of_8_is_that_of_the_largest_shape(version: str) -> None:
    memory = build(fake_tensorrt(version)).activation
    assert memory is not None
    assert (memory.largest, memory.typical) == (ACTIVATION_OF_LARGEST, ACTIVATION_OF_LARGEST)


@pytest.mark.parametrize("version", ["10.0.1", TEN, ELEVEN])
def test_newer_engines_report_their_memory_for_a_shape(version: str) -> None:
    trt = fake_tensorrt(version)
    memory = build(trt).activation
    assert memory is not None
    assert (memory.largest, memory.typical) == (ACTIVATION_OF_LARGEST, ACTIVATION_OF_SHAPE)
    assert calls(trt, "context") == [("USER_MANAGED",)]
    assert calls(trt, "input shape") == [("image", (1, 1, *PROFILE.opt))]


def test_an_engine_that_reports_no_memory_is_refused() -> None:
    with pytest.raises(
        DeviceError, match=r"does not report how much memory an engine needs; use version 8\.5"
    ):
        api.largest_activation(object())


def test_without_a_gpu_a_second_build_reports_the_typical_memory() -> None:
    trt = fake_tensorrt(RTX)
    memory = build(trt, can_load=False).activation
    assert memory is not None
    assert (memory.largest, memory.typical) == (ACTIVATION_OF_LARGEST, ACTIVATION_OF_LARGEST)
    assert [call[3] for call in calls(trt, "set_shape")] == [(1, 1, *PROFILE.max), (1, 1, *PROFILE.opt)]
    assert calls(trt, "context") == []


def test_memory_is_unknown_if_the_builder_does_not_report_it(monkeypatch: pytest.MonkeyPatch) -> None:
    trt = fake_tensorrt(RTX)
    monkeypatch.setattr(trt.Builder, "build_serialized_network", lambda self, network, config: b"plan")
    assert build(trt, can_load=False).activation is None


def test_the_profile_runs_from_the_smallest_to_the_largest_size() -> None:
    trt = fake_tensorrt(OLD)
    build(trt)
    assert calls(trt, "set_shape") == [
        ("image", (1, 1, 32, 32, 32), (1, 1, 96, 128, 160), (1, 1, 160, 128, 160))
    ]


def test_the_workspace_is_limited_only_if_asked() -> None:
    trt = fake_tensorrt(OLD)
    build(trt)
    assert calls(trt, "limit") == []
    build(trt, BuildOptions(workspace=1 << 20))
    assert calls(trt, "limit") == [("WORKSPACE", 1 << 20)]


@pytest.mark.parametrize("version", [OLD, TEN, ELEVEN, RTX])
def test_details_of_layers_are_kept_only_if_asked(version: str) -> None:
    trt = fake_tensorrt(version)
    build(trt)
    assert calls(trt, "verbosity") == []
    build(trt, layer_details=True)
    assert calls(trt, "verbosity") == [("DETAILED",)]


def test_timings_grow_from_one_network_to_the_next() -> None:
    trt = fake_tensorrt(OLD)
    builder = builder_of(trt, cache=b"")
    for _ in range(2):
        builder.build(ONNX, PROFILE, can_load=True)
    assert calls(trt, "timing cache") == [(b"", False), (b"+", False)]
    assert builder.timing_cache == b"++"


@pytest.mark.parametrize("version", [EIGHT_SIX, TEN, ELEVEN, RTX])
def test_the_optimization_level_is_set_only_if_asked(version: str) -> None:
    trt = fake_tensorrt(version)
    assert api.has_optimization_levels(trt)
    build(trt)
    assert calls(trt, "level") == []
    build(trt, BuildOptions(optimization_level=0))
    assert calls(trt, "level") == [(0,)]


def test_8_5_has_no_optimization_levels() -> None:
    assert not api.has_optimization_levels(fake_tensorrt(OLD))


@pytest.mark.parametrize("version", [TEN, ELEVEN])
def test_newer_versions_can_end_a_build_where_a_timing_is_missing(version: str) -> None:
    trt = fake_tensorrt(version)
    build(trt, BuildOptions("fp32", error_on_timing_cache_miss=True), b"timings")
    assert ("ERROR_ON_TIMING_CACHE_MISS",) in calls(trt, "set_flag")


@pytest.mark.parametrize("version", [OLD, EIGHT_SIX])
def test_8_cannot(version: str) -> None:
    assert not api.can_refuse_timing(fake_tensorrt(version))


@pytest.mark.parametrize("cache", [b"!another GPU's", b"?damaged"])
@pytest.mark.parametrize(
    "options", [BuildOptions(timing_cache=Path("mine")), BuildOptions(error_on_timing_cache_miss=True)]
)
def test_timings_that_are_needed_and_do_not_fit_are_refused(options: BuildOptions, cache: bytes) -> None:
    trt = fake_tensorrt(TEN)
    name = "mine" if options.timing_cache else "the timing cache"
    with pytest.raises(DeviceError, match=rf"^{name} is damaged, or no timing cache of TensorRT 10\.3\.0"):
        build(trt, options, cache)
    with pytest.raises(DeviceError, match="is damaged, or no timing cache"):
        builder_of(trt, options, cache).parse(ONNX, PROFILE)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (BuildOptions(), r"no kernel\. `efficientscn-trt build --verbose`"),
        (
            BuildOptions(workspace=3 << 19),
            r"no kernel\. --workspace 1\.5 may be too little; give more, or leave it out\. `efficientscn",
        ),
        (
            BuildOptions(error_on_timing_cache_miss=True),
            r"If a timing is missing, build once without --error-on-timing-cache-miss\. `efficientscn",
        ),
    ],
)
def test_a_failure_names_the_limits_that_the_user_set(options: BuildOptions, hint: str) -> None:
    trt = fake_tensorrt(TEN)
    trt.failure = "no kernel"
    with pytest.raises(DeviceError, match=hint):
        build(trt, options)


@pytest.mark.parametrize("cache", [b"!another GPU's", b"?damaged"])
def test_timings_that_do_not_fit_are_measured_again(cache: bytes) -> None:
    trt = fake_tensorrt(TEN)
    builder = builder_of(trt, cache=cache)
    builder.build(ONNX, PROFILE, can_load=True)
    assert calls(trt, "timing cache")[-1] == (b"", False)
    assert builder.timing_cache == b"+"


@pytest.mark.parametrize("kept", [None, SimpleNamespace(serialize=lambda: None)])
def test_a_build_that_keeps_no_timings_still_counts(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trt = fake_tensorrt(TEN)
    monkeypatch.setattr(trt.Config, "get_timing_cache", lambda self: kept)
    builder = builder_of(trt, cache=b"")
    assert builder.build(ONNX, PROFILE, can_load=True).content
    assert builder.timing_cache == b""


def test_no_timing_cache_where_nothing_is_timed() -> None:
    trt = fake_tensorrt(RTX)
    build(trt, can_load=False)
    assert calls(trt, "timing cache") == []


def test_layers_in_float32_are_named_by_the_types_of_the_graph() -> None:
    assert build(fake_tensorrt(RTX)).network.float32_layers == ("entropy",)


@pytest.mark.parametrize(
    ("attribute", "sentence"),
    [
        (
            "unreadable",
            r"TensorRT 10\.3\.0 cannot read network\.onnx: no kernel\. "
            r"`efficientscn-trt build --verbose` says more\.",
        ),
        ("failure", r"TensorRT 10\.3\.0 cannot build network\.onnx: no kernel\."),
        ("unloadable", r"TensorRT 10\.3\.0 cannot load the engine that it built: no kernel\."),
    ],
)
def test_what_tensorrt_says_is_passed_on(attribute: str, sentence: str) -> None:
    trt = fake_tensorrt(TEN)
    setattr(trt, attribute, "no kernel.\n")
    with pytest.raises(DeviceError, match=sentence):
        build(trt)


def test_every_message_reaches_the_verbose_user() -> None:
    said: list[str] = []
    build(fake_tensorrt(RTX), say=said.append)
    assert said == [f"Total Activation Memory: {ACTIVATION_OF_LARGEST} bytes"]


@pytest.mark.parametrize("version", [OLD, RTX])
def test_an_interruption_waits_until_tensorrt_has_stopped(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from efficientscn_trt.engines import builder

    def interrupted(futures: Any, timeout: float) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(builder, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(fake_tensorrt(version))
