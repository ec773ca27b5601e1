"""The time of each layer with each fake TensorRT, and the steps that report it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engines import H100, RTX_4090, machine
from support.fake_card import SECONDS, FakeCard
from support.fake_gpu import write_engines
from support.fake_runtime import BETWEEN, LEAN, VERSIONS, fake_runtime
from support.fake_tensorrt import fake_tensorrt

from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import builder
from efficientscn_trt.engines.running import ExecutionApi
from efficientscn_trt.errors import DeviceError

SIZE = (8, 16, 24)


def runtime(version: str, **options: Any) -> tuple[Any, list[Any]]:
    """Return a fake TensorRT that loads the plan b"plan", and a list of the engines that it makes."""
    trt, engines = fake_runtime(version), []

    def make() -> Any:
        engines.append(trt.engine(np.abs, **options))
        return engines[-1]

    trt.plans[b"plan"] = make
    return trt, engines


@pytest.mark.parametrize("version", [*VERSIONS, *BETWEEN])
def test_layers_are_timed_with_each_version(version: str) -> None:
    from on_gpu.layer_times import layer_times

    trt, _ = runtime(version, layers=(("conv", 0.5), ("PWN(act)", 0.25), ("conv", 1.0)))
    found = layer_times(ExecutionApi(trt), b"plan", SIZE, FakeCard(), runs=3)
    assert found["layers"] == [
        {"name": "conv", "milliseconds": 1.5},
        {"name": "PWN(act)", "milliseconds": 0.25},
    ]
    assert (found["size"], found["runs"], found["milliseconds"]) == (SIZE, 3, SECONDS * 1e3)


def test_the_profiler_is_of_a_context_of_its_own_and_not_there_while_all_is_timed() -> None:
    from on_gpu.layer_times import WARM_UP, layer_times

    trt, engines = runtime(VERSIONS[1])
    with_profiler = []

    class Card(FakeCard):
        def seconds(self, queue: Any, runs: int) -> list[float]:
            found = super().seconds(queue, runs)
            with_profiler.append(engines[0].contexts[0].profiler is not None)
            return found

    layer_times(ExecutionApi(trt), b"plan", SIZE, Card(), runs=3)
    (context,) = engines[0].contexts
    assert with_profiler == [False, False]
    assert context.runs == 2 * (WARM_UP + 3)
    assert context.enqueue_emits_profile is False


def test_a_version_that_reports_layers_only_during_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from on_gpu.layer_times import layer_times

    trt, engines = runtime(VERSIONS[0])
    api = ExecutionApi(trt)
    create = api.create_context

    def failing(*arguments: Any) -> Any:
        context = create(*arguments)
        context.failing = "report_to_profiler"
        return context

    monkeypatch.setattr(api, "create_context", failing)
    assert len(layer_times(api, b"plan", SIZE, FakeCard(), runs=2)["layers"]) == 2
    assert engines[0].contexts[0].enqueue_emits_profile is True
    trt, _ = runtime(VERSIONS[0], layers=())
    with pytest.raises(DeviceError, match="report_to_profiler"):
        layer_times(ExecutionApi(trt), b"plan", SIZE, FakeCard(), runs=2)


def test_tensorrt_rtx_compiles_for_the_shape_before_it_is_timed() -> None:
    from on_gpu.layer_times import layer_times

    trt, engines = runtime(VERSIONS[3])
    layer_times(ExecutionApi(trt), b"plan", SIZE, FakeCard(), runs=1)
    assert engines[-1].contexts[0].specialization.name == "EAGER"


def test_the_names_exist_in_tensorrt_rtx() -> None:
    trt = pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX is not installed")
    for owner, names in {
        trt.IProfiler: ("report_layer_time",),
        trt.IExecutionContext: ("profiler", "enqueue_emits_profile", "report_to_profiler"),
        trt.ICudaEngine: ("create_engine_inspector",),
        trt.EngineInspector: ("execution_context", "get_engine_information"),
        trt.LayerInformationFormat: ("JSON",),
        trt.DynamicShapesKernelSpecializationStrategy: ("EAGER",),
        trt.IRuntimeConfig: ("dynamic_shapes_kernel_specialization_strategy",),
    }.items():
        for name in names:
            assert hasattr(owner, name), name


def test_what_was_chosen_for_each_layer() -> None:
    from on_gpu.layer_details import layer_details

    trt, _ = runtime(VERSIONS[0], details=True)
    found = layer_details(ExecutionApi(trt), b"plan", SIZE, 0)
    assert list(found) == ["Conv_0 + act", "PWN(Sigmoid)"]
    tensor = "1×1×8×16×24 Channel major FP16 format where C % 8 == 0"
    assert found["Conv_0 + act"] == {
        "type": "CaskConvolution",
        "tactic": "0x7",
        "inputs": [tensor],
        "outputs": [tensor],
    }
    names_only, _ = runtime(VERSIONS[1])
    assert layer_details(ExecutionApi(names_only), b"plan", SIZE, 0) == {}
    lean, _ = runtime(LEAN)
    with pytest.raises(TypeError):
        layer_details(ExecutionApi(lean), b"plan", SIZE, 0)


@pytest.fixture
def steps(context: Any, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The steps `layers` and `tactics` with a fake card, the fake TensorRT and the context."""
    from on_gpu.steps import layers, tactics

    folder = Path(context.work, "other engines")
    folder.mkdir()
    choice, trt = write_engines(folder, VERSIONS[0])
    for step in (layers, tactics):
        monkeypatch.setattr(step, "Card", FakeCard)
        monkeypatch.setattr(step, "choose_engines", lambda _: (tiny_bundle, choice, trt))
    return layers, tactics, trt, choice


def test_the_step_layers(steps: Any, context: Any) -> None:
    layers, _, trt, choice = steps
    found = layers.run(context)
    assert found["state"] == "ok"
    network = found["networks"]["segmentation"]
    assert network["size"] == network["work"]["size"]
    assert network["layers"][0] == {"name": "Conv_0 + act", "milliseconds": 0.5}
    trt.plans.pop(choice.file("localization").read_bytes())
    found = layers.run(context)
    assert (found["state"], "layers" in found["networks"]["segmentation"]) == ("failed", True)
    assert found["networks"]["localization"].keys() == {"work"}
    assert "localization: DeviceError: TensorRT 8.5.3.1 failed in deserialize_cuda_engine" in found["reason"]


def test_the_step_tactics(steps: Any, context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, tactics, trt, _ = steps
    trt.plans[b"detailed"] = lambda: trt.engine(np.abs, details=True)
    monkeypatch.setattr(tactics, "detailed_plan", lambda *_: b"detailed")
    found = tactics.run(context)
    assert found["plans"]["segmentation"]["bytes"] == 8
    assert found["networks"]["segmentation"]["Conv_0 + act"]["type"] == "CaskConvolution"


@pytest.mark.parametrize(
    ("flavour", "gpu", "version"),
    [("tensorrt", H100, "8.5.3.1"), ("tensorrt", H100, "10.3.0"), ("tensorrt-rtx", RTX_4090, "1.7.1.116")],
)
def test_details_come_of_another_build_for_this_gpu(
    flavour: str, gpu: Any, version: str, context: Any, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    from on_gpu.steps import tactics

    trt = fake_tensorrt(version)
    monkeypatch.setattr(builder, "current", lambda _: nullcontext())
    monkeypatch.setattr(tactics, "machine_of", lambda _: machine(gpu))
    own = replace(context, flavour=flavour)
    assert version.encode() in tactics.detailed_plan(own, tiny_bundle, "localization", trt)
    assert ("verbosity", "DETAILED") in trt.calls
    assert (("capability", "CURRENT") in trt.calls) == (flavour == "tensorrt-rtx")
    assert any(call[0] == "timing cache" for call in trt.calls) == (flavour == "tensorrt")


def test_an_old_reference_leaves_the_steps_out(context: Any) -> None:
    from on_gpu.steps import layers, pytorch, tactics
    from on_gpu.work import FILE

    Path(context.reference, FILE).unlink()
    for step in (layers, tactics, pytorch):
        found = step.run(replace(context, torch_python="python"))
        assert (found["state"], FILE in found["reason"]) == ("skipped", True)


def test_layers_are_known_by_the_names_that_they_join() -> None:
    from on_gpu.layer_report import work_in
    from on_gpu.work import LayerWork

    work = {
        name: LayerWork(name, "Convolution", 1, 1, 1) for name in ("node_Conv_1", "node_Conv_12", "a:0_of_b")
    }
    for name, parts in (
        ("node_Conv_1 + PWN(LeakyRelu_1)", ["node_Conv_1"]),
        ("node_Conv_12 || a:0_of_b", ["node_Conv_12", "a:0_of_b"]),
        ("Reformatting CopyNode for Input Tensor 0 to node_Conv_1 + act", []),
        ("{ForeignNode[node_Conv_1...node_Conv_12]}", []),
    ):
        assert [layer.name for layer in work_in(name, work)] == parts
