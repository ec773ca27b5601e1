"""Fakes of TensorRT packages of several versions, with only the names that running an engine may use.

The names are those of 8.5.3.1, 8.6.1, 10.0.1, 10.3.0, lean 11.4.0 and RTX 1.7.1; any other name raises
AttributeError. An engine is a function of NumPy arrays, which reads and writes its addresses on the host or
on a GPU. It fills its scratch memory with rubbish, as a real engine may.
"""

from __future__ import annotations

import enum
import json
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from .fake_memory import HostMemory, Memory
from .fake_version import Version, fake_module, numbered

VERSIONS = ("8.5.3.1", "10.3.0", "11.4.0.106", "1.7.1.116")
LEAN = VERSIONS[2]
BETWEEN = ("8.6.1", "10.0.1")
"""Versions that have only some of the next version's new names."""

Shape = tuple[int, ...]
Network = Callable[[np.ndarray], np.ndarray]

DataType = enum.Enum("DataType", ("FLOAT", "HALF", "INT8", "BOOL", "UINT8"))
LayerInformationFormat = enum.Enum("LayerInformationFormat", ("ONELINE", "JSON"))
_NUMPY = {"FLOAT": np.float32, "HALF": np.float16, "BOOL": np.bool_, "UINT8": np.uint8, "INT8": np.int8}


class _Logger:
    ERROR, WARNING, INFO = 1, 2, 3


class _NativeLogger(_Logger):
    def __init__(self, severity: int) -> None:
        self.severity = severity

    def log(self, severity: int, message: str) -> None:
        """Does nothing here; TensorRT's own logger prints."""


class _Runtime:
    """Makes an engine with the function that `trt.plans` has for the plan."""

    trt: Any

    def __init__(self, log: Any) -> None:
        self.log = log
        self.trt.runtimes.add(self)
        if problem := getattr(self.trt, "problem", None):
            log.log(1, problem)

    def deserialize_cuda_engine(self, plan: bytes) -> Any:
        if plan not in self.trt.plans:
            self.log.log(1, "the plan is damaged.")
            return None
        return self.trt.plans[plan]()


def fake_runtime(version: str, memory: Memory | None = None) -> SimpleNamespace:
    """Return the module of a version in VERSIONS or BETWEEN; its `engine(...)` makes an engine."""
    of = Version(version)
    trt = fake_module(of)
    trt.ILogger, trt.Logger, trt.plans, trt.runtimes = _Logger, _NativeLogger, {}, weakref.WeakSet()
    trt.memory = memory or HostMemory()
    trt.Runtime = type("Runtime", (_Runtime,), {"trt": trt})
    trt.TensorIOMode = numbered("TensorIOMode", ("NONE", "INPUT", "OUTPUT"))
    engine = of.one_of(old=_OldEngine, first_10=_Engine100, new=_NewEngine, rtx=_RtxEngine)
    trt.IProfiler = type("IProfiler", (), {})
    trt.LayerInformationFormat = LayerInformationFormat
    if version != LEAN:
        trt.EngineInspector = object
    if of.rtx:
        trt.IRuntimeCache = object
        trt.DynamicShapesKernelSpecializationStrategy = numbered("Specialization", ("LAZY", "EAGER"))
    trt.engine = lambda network, **options: engine(trt, network, EngineOptions(**options))
    return trt


@dataclass(frozen=True)
class EngineOptions:
    """`profiles`: (smallest, typical, largest) shapes. `activation`: bytes of scratch memory for a shape.
    `layers`: names with milliseconds. `details`: whether it was built with layers' details.
    """

    input: str = "FLOAT"
    output: str = "FLOAT"
    profiles: Sequence[tuple[Shape, Shape, Shape]] = (
        ((1, 1, 1, 1, 1), (1, 1, 64, 64, 64), (1, 1, 512, 512, 512)),
    )
    activation: Callable[[Shape], int] = lambda shape: 4096 * max(shape)
    output_shape: Callable[[Shape], Shape] = lambda shape: shape
    layers: Sequence[tuple[str, float]] = (("Conv_0 + act", 0.5), ("PWN(Sigmoid)", 0.25))
    details: bool = False


class _Engine:
    """The names that all versions have."""

    def __init__(self, trt: Any, network: Network, options: EngineOptions) -> None:
        self.trt, self.network, self.options = trt, network, options
        self.num_io_tensors, self.num_optimization_profiles = 2, len(options.profiles)
        self.contexts: list[Any] = []

    def get_tensor_name(self, index: int) -> str:
        return ("image", "result")[index]

    def get_tensor_mode(self, name: str) -> Any:
        return self.trt.TensorIOMode.INPUT if name == "image" else self.trt.TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> Any:
        return DataType[self.options.input if name == "image" else self.options.output]

    def create_engine_inspector(self) -> Any:
        if not hasattr(self.trt, "EngineInspector"):
            raise TypeError("Unable to convert function return value to a Python type!")
        return _Inspector(self)

    def get_tensor_profile_shape(self, name: str, index: int) -> list[Shape]:
        assert name == "image"
        return [_Dims(shape) for shape in self.options.profiles[index]]

    def largest(self, profile: int) -> int:
        return self.options.activation(self.options.profiles[profile][2])

    def remember(self, context: Any) -> Any:
        self.contexts.append(context)
        return context


class _OldEngine(_Engine):
    """8.5: one memory size for all profiles, and each profile for one context at a time."""

    @property
    def device_memory_size(self) -> int:
        return max(self.largest(index) for index in range(self.num_optimization_profiles))

    def create_execution_context_without_device_memory(self) -> Any:
        assert not self.contexts, "8.5 does not let two contexts use one profile"
        return self.remember(_OldContext(self))


class _Engine100(_Engine):
    """10.0: contexts are made as in 10.1, sizes and memory are as in 8."""

    @property
    def device_memory_size(self) -> int:
        return max(self.largest(index) for index in range(self.num_optimization_profiles))

    def create_execution_context(self, strategy: Any) -> Any:
        assert strategy is self.trt.ExecutionContextAllocationStrategy.USER_MANAGED
        return self.remember(self.context())

    def context(self) -> Any:
        return _Context100(self)


class _NewEngine(_Engine100):
    """10.1 to 11, also lean."""

    @property
    def device_memory_size_v2(self) -> int:
        return self.device_memory_size

    def get_device_memory_size_for_profile_v2(self, profile: int) -> int:
        return self.largest(profile)

    def context(self) -> Any:
        return _NewContext(self)


class _RtxEngine(_NewEngine):
    def create_runtime_config(self) -> Any:
        return _RuntimeConfig()

    def create_execution_context(self, how: Any) -> Any:
        if isinstance(how, _RuntimeConfig):
            specialization = how.dynamic_shapes_kernel_specialization_strategy
            how, cache = how.strategy, how.cache
            context = super().create_execution_context(how)
            context.cache = cache
            context.specialization = specialization
            return context
        return super().create_execution_context(how)


class _Inspector:
    execution_context: Any = None

    def __init__(self, engine: _Engine) -> None:
        self.engine = engine

    def get_engine_information(self, form: Any) -> str:
        assert form is LayerInformationFormat.JSON
        names = [name for name, _ in self.engine.options.layers]
        if not self.engine.options.details:
            return json.dumps({"Layers": names, "Bindings": ["image", "result"]})
        tensor = {
            "Name": "image",
            "Dimensions": list(self.execution_context.shape),
            "Format/Datatype": "Channel major FP16 format where C % 8 == 0",
        }
        details = {
            "LayerType": "CaskConvolution",
            "Inputs": [tensor],
            "Outputs": [tensor],
            "TacticValue": "0x7",
        }
        return json.dumps({"Layers": [{"Name": name, **details} for name in names], "Bindings": []})


class _RuntimeConfig:
    strategy: Any = None
    cache: Any = None
    dynamic_shapes_kernel_specialization_strategy: Any = None

    def set_execution_context_allocation_strategy(self, strategy: Any) -> None:
        self.strategy = strategy

    def create_runtime_cache(self) -> Any:
        return RuntimeCache()

    def set_runtime_cache(self, cache: Any) -> None:
        self.cache = cache


class RuntimeCache:
    """One byte for every kernel that was compiled; another driver's blob begins with "!"."""

    content = b""

    def deserialize(self, blob: bytes) -> bool:
        if blob.startswith(b"!"):
            return False
        self.content = blob
        return True

    def serialize(self) -> bytes | None:
        return self.content


class _Dims(tuple[int, ...]):
    """A tuple in place of TensorRT's Dims; only what both can do is used."""


class _Context:
    """The names that all versions have."""

    def __init__(self, engine: _Engine) -> None:
        self.engine = engine
        self.profile: int | None = None
        self.shape: Shape | None = None
        self.addresses: dict[str, int] = {}
        self.streams: list[int] = []
        self.settings: list[str] = []
        self.runs = 0
        self.failing = ""
        self.profiler: Any = None
        self.enqueue_emits_profile = True
        self._untold = False

    def set_optimization_profile_async(self, index: int, stream: int) -> bool:
        self.settings.append("profile")
        self.profile, self.shape = index, None
        self.streams.append(stream)
        return self.failing != "set_optimization_profile_async"

    def set_input_shape(self, name: str, shape: Shape) -> bool:
        assert name == "image"
        assert type(shape) is tuple
        self.settings.append("shape")
        assert self.profile is not None, "the profile comes first"
        smallest, _, largest = self.engine.options.profiles[self.profile]
        assert all(a <= b <= c for a, b, c in zip(smallest, shape, largest, strict=True))
        self.shape = shape
        return self.failing != "set_input_shape"

    def get_tensor_shape(self, name: str) -> Shape:
        assert self.shape is not None
        return _Dims(self.shape if name == "image" else self.engine.options.output_shape(self.shape))

    def set_tensor_address(self, name: str, address: int) -> bool:
        assert address % 256 == 0
        self.settings.append(name)
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        if self.failing == "execute_async_v3":
            return False
        assert self.shape is not None
        self.streams.append(stream)
        scratch, size = self.scratch()
        assert scratch % 256 == 0
        options, memory = self.engine.options, self.engine.trt.memory
        memory.write(scratch, np.full(size, 0x5A, np.uint8), stream)
        image = memory.read(self.addresses["image"], self.shape, _NUMPY[options.input], stream)
        result = self.engine.network(image).reshape(options.output_shape(self.shape))
        memory.write(self.addresses["result"], result.astype(_NUMPY[options.output]), stream)
        memory.write(scratch, np.full(size, 0x5B, np.uint8), stream)
        self.runs += 1
        self._untold = self.profiler is not None
        if self.enqueue_emits_profile:
            self.tell()
        return True

    def report_to_profiler(self) -> bool:
        if self.failing == "report_to_profiler" or not self._untold:
            return False
        self.tell()
        return True

    def tell(self) -> None:
        if self._untold:
            for layer in self.engine.options.layers:
                self.profiler.report_layer_time(*layer)
        self._untold = False

    def scratch(self) -> tuple[int, int]:
        raise NotImplementedError


class _OldContext(_Context):
    device_memory: int

    def scratch(self) -> tuple[int, int]:
        return self.device_memory, self.engine.device_memory_size  # type: ignore[attr-defined]


class _ShapeContext(_Context):
    """Needs as much memory as its current shape."""

    updated: Shape | None = None
    tells_nothing = False

    def update_device_memory_size_for_shapes(self) -> int:
        assert self.shape is not None, "profile and shapes come first"
        self.updated = self.shape
        return 0 if self.tells_nothing else self.engine.options.activation(self.shape)


class _Context100(_ShapeContext):
    device_memory: int

    def scratch(self) -> tuple[int, int]:
        assert self.shape is not None
        assert self.updated == self.shape, "the size must be asked for again after a change of shape"
        return self.device_memory, self.engine.options.activation(self.shape)


class _NewContext(_ShapeContext):
    memory: tuple[int, int] | None = None
    cache: Any = None
    specialization: Any = None

    def set_device_memory(self, address: int, size: int) -> None:
        self.memory = (address, size)

    def scratch(self) -> tuple[int, int]:
        assert self.memory is not None
        assert self.updated == self.shape, "the size must be asked for again after a change of shape"
        assert self.memory[1] >= self.engine.options.activation(self.shape)  # type: ignore[arg-type]
        if self.cache is not None and self.shape is not None:
            self.cache.content += bytes([sum(self.shape) % 256])
        return self.memory
