"""Fakes of TensorRT packages of several versions, with only the names that a build may use.

The names are those of 8.5.3.1, 8.6.1, 10.0.1, 10.3.0, 11.4.0 and RTX 1.7.1; any other name raises
AttributeError. A fake records its calls.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from .fake_version import Version, enumeration, fake_module, numbered

FLAGS_8_5 = ("FP16", "TF32", "OBEY_PRECISION_CONSTRAINTS", "PREFER_PRECISION_CONSTRAINTS")
FLAGS_8_6 = ("VERSION_COMPATIBLE", "EXCLUDE_LEAN_RUNTIME")
LAYERS_8_5 = ("CONVOLUTION", "ELEMENTWISE", "CONSTANT", "SHUFFLE", "IDENTITY")
TACTICS_8_5 = ("CUBLAS", "CUBLAS_LT", "CUDNN", "EDGE_MASK_CONVOLUTIONS", "JIT_CONVOLUTIONS")
RTX_CAPABILITIES = {"NONE": 0, "CURRENT": 1, "SM75": 75, "SM80": 80, "SM86": 86, "SM89": 89, "SM120": 120}
DIAGNOSTICS = {"VERSION_MISMATCH": 1, "UNSUPPORTED_CC": 2, "OLD_CUDA_DRIVER": 4, "MALFORMED_ENGINE": 32}
NETWORK_BYTES = 1000
ACTIVATION_OF_LARGEST, ACTIVATION_OF_SHAPE = 500, 200


def fake_tensorrt(version: str) -> SimpleNamespace:
    """The module of a TensorRT: 8.5, 8.6, 10.0, 10.3 or 11, such as "8.5.3.1", or RTX's "1.7.1.116"."""
    of = Version(version)
    major, rtx = of.major, of.rtx
    trt = fake_module(of)
    trt.float32, trt.float16, trt.calls = "float32", "float16", []
    creation = {"8": ("EXPLICIT_BATCH",), "10": ("EXPLICIT_BATCH", "STRONGLY_TYPED")}
    trt.NetworkDefinitionCreationFlag = numbered("Creation", creation.get(major, ("STRONGLY_TYPED",)))
    flags = FLAGS_8_5 if major in ("8", "10") else ("TF32", "REQUIRE_USER_ALLOCATION") if rtx else ("TF32",)
    if major in ("10", "11") or rtx:
        flags = (*flags, "ERROR_ON_TIMING_CACHE_MISS")
    trt.BuilderFlag = numbered("Flag", flags if version.startswith("8.5") else (*flags, *FLAGS_8_6))
    trt.TacticSource = numbered("Tactic", TACTICS_8_5 if major in ("8", "10") else TACTICS_8_5[3:])
    preview = {"8": "FASTER_DYNAMIC_SHAPES_0805", "10": "PROFILE_SHARING_0806"}
    trt.PreviewFeature = numbered("Preview", (preview.get(major, "RUNTIME_ACTIVATION_RESIZE_10_10"),))
    trt.MemoryPoolType = numbered("Pool", ("WORKSPACE", "DLA_MANAGED_SRAM"))
    trt.ProfilingVerbosity = numbered("Verbosity", ("LAYER_NAMES_ONLY", "NONE", "DETAILED"))
    trt.LayerType = numbered("Layer", (*LAYERS_8_5, *(() if version.startswith("8.5") else ("CAST",))))
    trt.ILayer = _Layer if major in ("8", "10") else _StrongLayer
    if not version.startswith("8.5"):
        trt.ICastLayer = _CastLayer
    trt.ILogger = _Logger
    trt.Builder, trt.OnnxParser, trt.Runtime = _with(trt, _Builder), _with(trt, _Parser), _with(trt, _Runtime)
    trt.Network = _with(trt, _Network)
    trt.Config = _with(trt, of.one_of(old=_OldConfig, new=_Config, rtx=_RtxConfig))
    if not version.startswith("8.5"):
        trt.Config.builder_optimization_level = property(None, lambda self, level: self.note("level", level))
    trt.IBuilderConfig = trt.Config
    trt.Engine = _with(trt, of.one_of(old=_OldEngine, first_10=_Engine100, new=_Engine))
    trt.IExecutionContext = of.one_of(old=_OldContext, new=_Context)
    if not of.old:
        trt.IProgressMonitor = _Monitor
    if rtx:
        trt.ComputeCapability = enumeration("ComputeCapability", RTX_CAPABILITIES)
        trt.EngineValidity = numbered("EngineValidity", ("VALID", "SUBOPTIMAL", "INVALID"))
        trt.EngineInvalidityDiagnostics = enumeration("EngineInvalidityDiagnostics", DIAGNOSTICS)
        trt.Runtime = _with(trt, _RtxRuntime)
    return trt


def _with(trt: SimpleNamespace, cls: type) -> type:
    return type(cls.__name__, (cls,), {"trt": trt})


class _Fake:
    trt: SimpleNamespace

    def note(self, *call: object) -> None:
        self.trt.calls.append(call)


class _Logger:
    ERROR, WARNING, INFO = 1, 2, 3

    def log(self, severity: int, message: str) -> None:
        raise NotImplementedError


class _Monitor:
    pass


class _Builder(_Fake):
    def __init__(self, log: Any) -> None:
        self.log = log

    def create_network(self, flags: int) -> Any:
        self.note("create_network", flags)
        return self.trt.Network()

    def create_builder_config(self) -> Any:
        return self.trt.Config()

    def create_optimization_profile(self) -> Any:
        return SimpleNamespace(set_shape=lambda *shape: self.note("set_shape", *shape))

    def build_serialized_network(self, network: Any, config: Any) -> bytes | None:
        """Run one phase, fail if `failure` is set, and log the memory as only RTX does."""
        monitor = getattr(config, "progress_monitor", None)
        if monitor is not None:
            monitor.phase_start("Building engine", None, 2)
            if not monitor.step_complete("Building engine", 0):
                return None
            monitor.phase_finish("Building engine")
        if reason := getattr(self.trt, "failure", None):
            self.log.log(1, reason)
            return None
        self.log.log(3, f"Total Activation Memory: {ACTIVATION_OF_LARGEST} bytes")
        if config.profiling_verbosity is not None:
            self.note("verbosity", config.profiling_verbosity.name)
        return self.trt.__version__.encode().ljust(NETWORK_BYTES, b"\0")


class _Parser(_Fake):
    def __init__(self, network: Any, log: Any) -> None:
        self.log = log

    def parse(self, model: bytes) -> bool:
        self.note("parse", model)
        if reason := getattr(self.trt, "unreadable", None):
            self.log.log(1, reason)
            return False
        return True


class _Network(_Fake):
    """A float16 network, except the entropy between two casts, in float32, and the flags, which are bool."""

    def __init__(self) -> None:
        kind, make = self.trt.LayerType, self.trt.ILayer
        half, single = self.trt.float16, self.trt.float32
        old = self.trt.__version__.startswith("8.")
        self.image = _Tensor("image", half)
        convolution = make("convolution", kind.CONVOLUTION, [self.image, None], half)
        one = make("one", kind.CONSTANT, [], single)
        before = self._cast("before", convolution, single)
        # In networks that are not strongly typed, a cast does not change a tensor's type.
        entropy = make("entropy", kind.ELEMENTWISE, [one.result, before.result], half if old else single)
        after = self._cast("after", entropy, half)
        sum_ = make("sum", kind.ELEMENTWISE, [after.result, convolution.result], half)
        flags = make("flags", kind.ELEMENTWISE, [entropy.result], "bool")
        self.layers = [convolution, one, before, entropy, after, sum_, flags]
        self.num_layers = len(self.layers)
        self.trt.layers = self.layers

    def _cast(self, name: str, source: _Layer, dtype: str) -> _Layer:
        kind, known = self.trt.LayerType, source.result.dtype
        reported = known if self.trt.__version__.startswith("8.") else dtype
        if hasattr(kind, "CAST"):
            layer = self.trt.ILayer(name, kind.CAST, [source.result], reported)
        else:
            layer = self.trt.ILayer(name, kind.IDENTITY, [source.result], reported)
            layer.set_output_type(0, dtype)
        layer.target = dtype
        return layer

    def get_layer(self, index: int) -> _Layer:
        return self.layers[index]

    def get_input(self, index: int) -> Any:
        return self.image


class _Tensor:
    def __init__(self, name: str, dtype: str) -> None:
        self.name, self.dtype = name, dtype


class _StrongLayer:
    """A layer as `get_layer` returns it, without the members of its kind."""

    precision: object = None
    target: str

    def __init__(self, name: str, kind: Any, inputs: list[_Tensor | None], dtype: str) -> None:
        self.name, self.type, self._inputs = name, kind, inputs
        self.result = _Tensor(f"{name}:0", dtype)
        self.num_inputs, self.num_outputs = len(inputs), 1

    def get_input(self, index: int) -> _Tensor | None:
        return self._inputs[index]

    def get_output(self, index: int) -> _Tensor:
        return self.result


class _Layer(_StrongLayer):
    """A layer whose output type can be set."""

    _output_type: str | None = None

    def set_output_type(self, index: int, dtype: str) -> None:
        self._output_type = dtype

    def output_type_is_set(self, index: int) -> bool:
        return self._output_type is not None

    def get_output_type(self, index: int) -> str:
        return self._output_type or "float32"


class _CastLayer(_StrongLayer):
    @property
    def to_type(self) -> str:
        return self.target


class _OldConfig(_Fake):
    """The names that all versions have."""

    cache: Any = None
    profiling_verbosity: Any = None

    def add_optimization_profile(self, profile: Any) -> None:
        self.note("add_optimization_profile")

    def set_flag(self, flag: Any) -> None:
        self.note("set_flag", flag.name)

    def clear_flag(self, flag: Any) -> None:
        self.note("clear_flag", flag.name)

    def get_tactic_sources(self) -> int:
        return sum(1 << int(source) for source in self.trt.TacticSource)

    def set_tactic_sources(self, sources: int) -> None:
        self.note("tactics", [source.name for source in self.trt.TacticSource if sources >> int(source) & 1])

    def set_memory_pool_limit(self, pool: Any, size: int) -> None:
        self.note("limit", pool.name, size)

    def set_preview_feature(self, feature: Any, on: bool) -> None:
        self.note("preview", feature.name, on)

    def create_timing_cache(self, content: bytes) -> Any:
        """Return None for a damaged cache, which begins with "?"."""
        if content.startswith(b"?"):
            return None
        return SimpleNamespace(content=content, serialize=lambda: content + b"+")

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        """Return False for another GPU's cache, which begins with "!"."""
        self.note("timing cache", cache.content, ignore_mismatch)
        if cache.content.startswith(b"!"):
            return False
        self.cache = cache
        return True

    def get_timing_cache(self) -> Any:
        return self.cache


class _Config(_OldConfig):
    progress_monitor: Any = None


class _RtxConfig(_Config):
    num_compute_capabilities = 0

    def set_compute_capability(self, capability: Any, index: int) -> bool:
        assert index < self.num_compute_capabilities
        self.note("capability", capability.name)
        return capability.name != getattr(self.trt, "refused", None)


class _Runtime(_Fake):
    def __init__(self, log: Any) -> None:
        self.log = log

    def deserialize_cuda_engine(self, content: bytes) -> Any:
        if reason := getattr(self.trt, "unloadable", None):
            self.log.log(1, reason)
            return None
        return self.trt.Engine()


class _RtxRuntime(_Runtime):
    def get_engine_validity(self, buffer: bytes) -> tuple[Any, int]:
        """What `validity` holds: the name of a validity, and the bits of its reasons."""
        self.note("validity", bytes(buffer))
        name, bits = self.trt.validity
        return self.trt.EngineValidity[name], bits


class _OldEngine(_Fake):
    device_memory_size = ACTIVATION_OF_LARGEST

    def create_execution_context_without_device_memory(self) -> Any:
        raise AssertionError("its memory does not depend on the shape: no context is needed")


class _Engine100(_Fake):
    """10.0 has the memory of each shape, and the largest under its old name."""

    device_memory_size = ACTIVATION_OF_LARGEST

    def create_execution_context(self, strategy: Any) -> Any:
        self.note("context", strategy.name)
        context = self.trt.IExecutionContext()
        context.trt = self.trt
        return context


class _Engine(_Engine100):
    device_memory_size_v2 = ACTIVATION_OF_LARGEST


class _OldContext:
    pass


class _Context(_Fake):
    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> None:
        self.note("input shape", name, shape)

    def update_device_memory_size_for_shapes(self) -> int:
        return ACTIVATION_OF_SHAPE
