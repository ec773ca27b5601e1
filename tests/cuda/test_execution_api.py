"""The differences between TensorRT's versions when an engine runs, and that there are no others."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fake_memory import HostBlock, array_at
from support.fake_runtime import BETWEEN, VERSIONS, fake_runtime

from efficientscn_trt import BundleError, DeviceError, _core
from efficientscn_trt.engines.running import ExecutionApi
from efficientscn_trt.engines.runtime_cache import RuntimeCache

OLD, TEN, LEAN, RTX = VERSIONS
EIGHT_SIX, TEN_ZERO = BETWEEN


def doubled(image: np.ndarray) -> np.ndarray:
    return image * 2


class Loaded:
    """An engine of one version with a context and the core's network on it."""

    def __init__(self, version: str, **options: Any) -> None:
        self.trt = fake_runtime(version)
        self.api = ExecutionApi(self.trt)
        self.trt.plans[b"plan"] = lambda: self.trt.engine(doubled, **options)
        self.engine = self.api.load_engine(b"plan")
        self.context = self.api.create_context(self.engine)
        self.network = _core.Network(self.api, self.engine, self.context, *self.api.tensor_names(self.engine))

    def run(self, image: np.ndarray, stream: int = 7) -> np.ndarray:
        """Run the network on host memory."""
        shape, scratch = self.network.prepare(image.shape, stream)
        given, result, activation = (HostBlock(size) for size in (image.nbytes, image.nbytes, scratch))
        array_at(given.address, image.shape, image.dtype)[:] = image
        self.network.enqueue(given.address, result.address, activation.address, scratch, stream)
        return array_at(result.address, shape, image.dtype)[0, 0].copy()


@pytest.mark.parametrize("version", (*VERSIONS, *BETWEEN))
@pytest.mark.parametrize(("element", "dtype"), [("FLOAT", "float32"), ("HALF", "float16")])
def test_a_network_runs(version: str, element: str, dtype: str) -> None:
    loaded = Loaded(version, input=element, output=element)
    assert (loaded.network.input_dtype, loaded.network.output_dtype) == (dtype, dtype)
    for shape in ((4, 5, 6), (2, 3, 4), (4, 5, 6)):
        image = np.random.default_rng(0).normal(size=shape).astype(dtype)
        np.testing.assert_array_equal(loaded.run(image), doubled(image))
    assert set(loaded.context.streams) == {7}


@pytest.mark.parametrize("version", (*VERSIONS, *BETWEEN))
def test_what_is_set_already_is_not_set_again(version: str) -> None:
    """TensorRT could treat it as a change, and then do work in the next run that a graph cannot capture."""
    loaded = Loaded(version)
    blocks = [HostBlock(size) for size in (480, 480, 512 * 4096)]
    array_at(blocks[0].address, (120,), np.float32)[:] = 0
    array_at(blocks[1].address, (120,), np.float32)[:] = 0

    def run(size: tuple[int, int, int], order: tuple[int, int] = (0, 1)) -> list[str]:
        before = len(loaded.context.settings)
        _, scratch = loaded.network.prepare(size, 7)
        places = (blocks[order[0]].address, blocks[order[1]].address, blocks[2].address)
        loaded.network.enqueue(*places, scratch, 7)
        settings: list[str] = loaded.context.settings[before:]
        return settings

    assert run((4, 5, 6)) == ["profile", "shape", "image", "result"]
    assert run((4, 5, 6)) == []
    assert run((4, 5, 6), (1, 0)) == ["image", "result"]
    assert run((4, 5, 5)) == ["shape", "image", "result"]
    assert run((4, 5, 6)) == ["shape", "image", "result"]
    assert loaded.context.runs == 5


@pytest.mark.parametrize("version", (*VERSIONS, *BETWEEN))
def test_scratch_memory_is_that_of_the_shape_if_reported(version: str) -> None:
    loaded = Loaded(version, activation=lambda shape: int(np.prod(shape)))
    _, scratch = loaded.network.prepare((4, 5, 6))
    assert scratch == (512**3 if version in (OLD, EIGHT_SIX) else 4 * 5 * 6)


@pytest.mark.parametrize("version", [TEN_ZERO, TEN, LEAN, RTX])
def test_zero_bytes_may_be_an_error_so_the_largest_is_taken(version: str) -> None:
    loaded = Loaded(version, activation=lambda shape: int(np.prod(shape)))
    loaded.context.tells_nothing = True
    assert loaded.network.prepare((4, 5, 6))[1] == 512**3


@pytest.mark.parametrize("version", (*VERSIONS, *BETWEEN))
def test_the_tightest_profile_is_taken_and_set_once(version: str) -> None:
    loaded = Loaded(
        version,
        profiles=[
            ((1, 1, 1, 1, 1), (1, 1, 8, 8, 8), (1, 1, 64, 64, 64)),
            ((1, 1, 1, 1, 1), (1, 1, 4, 4, 4), (1, 1, 8, 8, 8)),
        ],
    )
    chosen = []
    for size in ((4, 4, 4), (8, 8, 8), (9, 8, 8), (4, 4, 4)):
        loaded.network.prepare(size, 3)
        chosen.append(loaded.context.profile)
    assert chosen == [1, 1, 0, 1]
    assert len(loaded.context.streams) == 3


@pytest.mark.parametrize("version", (*VERSIONS, *BETWEEN))
def test_a_size_that_no_profile_takes(version: str) -> None:
    loaded = Loaded(version)
    with pytest.raises(
        BundleError, match=r"take inputs of 1×1×1×1×1 to 1×1×512×512×512, but .* 1×1×600×4×4; build"
    ):
        loaded.network.prepare((600, 4, 4))


@pytest.mark.parametrize("call", ["set_optimization_profile_async", "set_input_shape", "execute_async_v3"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_call_that_fails_is_named_with_tensorrts_reason(version: str, call: str) -> None:
    loaded = Loaded(version)
    loaded.context.failing = call
    loaded.api._log.log(1, "out of registers.")
    with pytest.raises(DeviceError, match=rf"TensorRT {version} failed in {call}: out of registers\.$"):
        loaded.run(np.zeros((2, 2, 2), np.float32))


def test_a_profile_that_could_not_be_set_is_set_again() -> None:
    loaded = Loaded(TEN)
    loaded.context.failing = "set_optimization_profile_async"
    with pytest.raises(DeviceError):
        loaded.network.prepare((2, 2, 2))
    loaded.context.failing = ""
    loaded.context.profile = None
    loaded.network.prepare((2, 2, 2))
    assert loaded.context.profile == 0


def test_a_plan_that_cannot_be_loaded() -> None:
    with pytest.raises(DeviceError, match="failed in deserialize_cuda_engine: the plan is damaged"):
        ExecutionApi(fake_runtime(OLD)).load_engine(b"damaged")


@pytest.mark.parametrize(("version", "native"), [(OLD, False), (TEN, False), (LEAN, False), (RTX, True)])
def test_threads_of_rtx_do_not_log_through_python(version: str, native: bool) -> None:
    trt = fake_runtime(version)
    trt.plans[b"plan"] = lambda: trt.engine(doubled)
    api = ExecutionApi(trt)
    assert api.load_engine(b"plan") is not None
    (runtime,) = trt.runtimes  # the one with Python's logger is gone
    assert isinstance(runtime.log, trt.Logger) == native
    with pytest.raises(DeviceError, match="failed in deserialize_cuda_engine"):
        api.load_engine(b"damaged")


def test_a_driver_that_is_too_old() -> None:
    trt = fake_runtime(LEAN)
    trt.problem = "CUDA initialization failure with error: 35."
    with pytest.raises(
        DeviceError, match=r"failed in Runtime: CUDA initialization failure with error: 35\.$"
    ):
        ExecutionApi(trt)


def test_an_engine_of_another_type() -> None:
    with pytest.raises(ValueError, match=r"tensor image is of type INT8, expected FLOAT, HALF or BOOL"):
        Loaded(TEN, input="INT8")


@pytest.mark.parametrize(
    ("version", "shared"),
    [(OLD, False), (EIGHT_SIX, False), (TEN_ZERO, True), (TEN, True), (LEAN, True), (RTX, True)],
)
def test_whether_contexts_share_a_profile(version: str, shared: bool) -> None:
    assert ExecutionApi(fake_runtime(version)).shares_profiles() is shared


@pytest.mark.parametrize("version", VERSIONS)
def test_compiled_kernels_are_kept_by_rtx_alone(version: str, tmp_path: Path) -> None:
    trt = fake_runtime(version)
    api, file = ExecutionApi(trt), tmp_path / "kernels" / "cache.bin"
    engine = trt.engine(doubled)
    cache = RuntimeCache(file)
    context = api.create_context(engine, cache)
    network = _core.Network(api, engine, context, *api.tensor_names(engine))
    _, scratch = network.prepare((2, 2, 2))
    given, result, activation = (HostBlock(size) for size in (32, 32, scratch))
    network.enqueue(given.address, result.address, activation.address, scratch, 0)
    cache.save()
    assert file.exists() == (version == RTX)
    if version == RTX:
        again = RuntimeCache(file)
        assert api.create_context(engine, again).cache.content == file.read_bytes() != b""


def test_a_runtime_cache_outlives_the_context_that_compiles_into_it(tmp_path: Path) -> None:
    trt = fake_runtime(RTX)
    api, engine = ExecutionApi(trt), trt.engine(doubled)
    cache = RuntimeCache(tmp_path / "cache.bin")
    context = api.create_context(engine, cache)
    engine.contexts.clear()
    ended: list[str] = []
    weakref.finalize(cache, ended.append, "cache")
    weakref.finalize(context, ended.append, "context")
    del cache
    assert ended == []
    del context
    assert ended == ["context", "cache"]


def test_kernels_of_another_driver_are_ignored(tmp_path: Path) -> None:
    file = tmp_path / "cache.bin"
    file.write_bytes(b"!another")
    trt = fake_runtime(RTX)
    context = ExecutionApi(trt).create_context(trt.engine(doubled), RuntimeCache(file))
    assert context.cache.content == b""


def test_an_engine_of_several_inputs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    trt = fake_runtime(TEN)
    engine = trt.engine(doubled)
    monkeypatch.setattr(engine, "get_tensor_mode", lambda name: trt.TensorIOMode.INPUT)
    with pytest.raises(BundleError, match="expected one of each; build it again"):
        ExecutionApi(trt).tensor_names(engine)


def test_the_names_exist_in_tensorrt_rtx() -> None:
    trt = pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX is not installed")
    for owner, names in {
        trt.ICudaEngine: (
            "get_tensor_name",
            "get_tensor_mode",
            "get_tensor_dtype",
            "get_tensor_profile_shape",
            "get_device_memory_size_for_profile_v2",
            "device_memory_size_v2",
            "num_optimization_profiles",
            "num_io_tensors",
            "create_execution_context",
            "create_runtime_config",
        ),
        trt.IExecutionContext: (
            "set_optimization_profile_async",
            "set_input_shape",
            "get_tensor_shape",
            "set_tensor_address",
            "set_device_memory",
            "update_device_memory_size_for_shapes",
            "execute_async_v3",
        ),
        trt.IRuntimeConfig: (
            "create_runtime_cache",
            "set_runtime_cache",
            "set_execution_context_allocation_strategy",
        ),
        trt.IRuntimeCache: ("serialize", "deserialize"),
        trt: ("ExecutionContextAllocationStrategy", "TensorIOMode", "Runtime", "ILogger"),
    }.items():
        for name in names:
            assert hasattr(owner, name), name
    assert {member for member in ("FLOAT", "HALF", "BOOL") if hasattr(trt.DataType, member)} == {
        "FLOAT",
        "HALF",
        "BOOL",
    }
