"""How the versions of TensorRT differ when an engine is built. Everything else is the same from 8.5 to 11.

Differences are found by asking the module what it has, never by its version number.

| | 8.5 | 10 and 11 | RTX |
| --- | --- | --- | --- |
| explicit batch | a creation flag | always | always |
| types are binding | no: FP16 flag, and constraints on layers | a creation flag | a creation flag |
| other libraries' kernels | cuBLAS and cuDNN | off | none |
| progress | none | IProgressMonitor | IProgressMonitor |
| GPUs that an engine is for | the one it is built on | the one it is built on | chosen |
| scratch memory | for the largest shape | for the current shape | for the current shape |
| engines for the lean runtime | none (from 8.6 on: a flag) | a flag | none |
| optimization levels | none (from 8.6 on: 0 to 5) | 0 to 5 | 0 to 5 |
| timings of kernels | kept | kept, and can be demanded | none |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import DeviceError

EXTERNAL_LIBRARIES = ("CUBLAS", "CUBLAS_LT", "CUDNN")

CURRENT = "current"

OPTIMIZATION_LEVELS = range(6)

NO_TIMING = "ERROR_ON_TIMING_CACHE_MISS"
"""The flag that ends a build where a timing is missing."""

USER_ALLOCATION = "REQUIRE_USER_ALLOCATION"
"""TensorRT-RTX's flag that leaves all scratch memory to the caller."""

Progress = Callable[[str, int, int], None]
"""Called with the name of a phase, how many of its steps are done (at first 0), and how many it has."""


def network_flags(trt: Any) -> int:
    """Flags for `Builder.create_network`."""
    known = trt.NetworkDefinitionCreationFlag
    for name in ("STRONGLY_TYPED", "EXPLICIT_BATCH"):
        if hasattr(known, name):
            return 1 << int(getattr(known, name))
    return 0


def is_weakly_typed(trt: Any) -> bool:
    """Whether this version may compute in other types than those of the graph."""
    strongly = hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
    return not strongly and hasattr(trt.BuilderFlag, "FP16")


def set_precision(trt: Any, config: Any, network: Any, precision: str) -> None:
    """Make TensorRT compute in the types of the graph, even if this version is weakly typed.

    For "fp32" TF32 is off. For "fp16" a weakly typed version may use float16, but not for the arithmetic that
    the graph has in float32.
    """
    if precision == "fp32":
        config.clear_flag(trt.BuilderFlag.TF32)  # it has 10 bits of mantissa, as float16 has
    elif is_weakly_typed(trt):
        config.set_flag(trt.BuilderFlag.FP16)
        config.set_flag(trt.BuilderFlag.PREFER_PRECISION_CONSTRAINTS)
        for layer in float32_layers(trt, network):
            layer.precision = trt.float32
            for index in range(layer.num_outputs):  # else a tensor between two layers may be float16
                layer.set_output_type(index, trt.float32)


def use_own_kernels(trt: Any, config: Any) -> None:
    """Leave out cuBLAS and cuDNN where a version has them: they take gigabytes on disk, and GPU memory."""
    if external := external_sources(trt):
        bits = sum(1 << int(getattr(trt.TacticSource, name)) for name in external)
        config.set_tactic_sources(config.get_tactic_sources() & ~bits)


def external_sources(trt: Any) -> list[str]:
    """Names of this version's sources of kernels that are other libraries."""
    return [name for name in EXTERNAL_LIBRARIES if hasattr(trt.TacticSource, name)]


def selectable_capabilities(trt: Any) -> dict[str, Any]:
    """Compute capabilities that this version can build for without their GPU, such as {"8.6": SM86}."""
    members = trt.ComputeCapability.__members__ if hasattr(trt, "ComputeCapability") else {}
    return {f"{name[2:-1]}.{name[-1]}": member for name, member in members.items() if name.startswith("SM")}


def set_capabilities(trt: Any, config: Any, capabilities: Sequence[str]) -> str | None:
    """Build for `capabilities`: some of `selectable_capabilities`, or CURRENT, the GPU here.

    Returns the first one that this version refuses, None if it accepts all.
    """
    known = {**selectable_capabilities(trt), CURRENT: trt.ComputeCapability.CURRENT}
    config.num_compute_capabilities = len(capabilities)
    for index, capability in enumerate(capabilities):
        if not config.set_compute_capability(known[capability], index):
            return capability
    return None


def makes_version_compatible(trt: Any) -> bool:
    """Whether this version can build an engine that its lean runtime runs too."""
    return hasattr(trt.BuilderFlag, "VERSION_COMPATIBLE")


def make_version_compatible(trt: Any, config: Any) -> None:
    """Build for the lean runtime too. The plan gets no copy of it, which would be more code to trust."""
    for name in version_compatible_flags(trt):
        config.set_flag(getattr(trt.BuilderFlag, name))


def version_compatible_flags(trt: Any) -> list[str]:
    """Names of this version's flags for the lean runtime."""
    return [name for name in ("VERSION_COMPATIBLE", "EXCLUDE_LEAN_RUNTIME") if hasattr(trt.BuilderFlag, name)]


def keep_layer_details(trt: Any, config: Any) -> None:
    """Keep the details of each layer in the engine. NVIDIA's reference says that this slows enqueueing."""
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED


def has_optimization_levels(trt: Any) -> bool:
    """Whether a build can be told how long to look for the fastest kernels."""
    return hasattr(trt.IBuilderConfig, "builder_optimization_level")


def set_optimization_level(config: Any, level: int | None) -> None:
    """Set one of OPTIMIZATION_LEVELS; None leaves TensorRT's own."""
    if level is not None:
        config.builder_optimization_level = level


def set_timing_cache(config: Any, content: bytes) -> Any:
    """Give a build the timings of earlier builds; empty `content` means none.

    Returns an object that must live as long as the build; None if they are of another GPU or version, or are
    damaged.
    """
    cache = config.create_timing_cache(content)
    if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
        return cache
    return None


def can_refuse_timing(trt: Any) -> bool:
    """Whether a build can be ended where a timing is missing."""
    return hasattr(trt.BuilderFlag, NO_TIMING)


def refuse_timing(trt: Any, config: Any) -> None:
    """End the build where a timing is missing."""
    config.set_flag(getattr(trt.BuilderFlag, NO_TIMING))


def timings(config: Any) -> bytes:
    """Return the timings that a build was given or measured; empty if it kept none."""
    cache = config.get_timing_cache()
    content = None if cache is None else cache.serialize()
    return b"" if content is None else bytes(content)


def set_workspace(trt: Any, config: Any, size: int | None) -> None:
    """Limit the scratch memory of any one layer to `size` bytes; None leaves TensorRT's own limit."""
    if size is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, size)


def plan_scratch(trt: Any, config: Any) -> None:
    """Let the caller provide all scratch memory, and only as much as the current shape needs.

    Some versions do so only on request. TensorRT fuses most of each network into one layer. Without the
    request that layer takes the memory of the largest shape, and TensorRT-RTX may allocate it itself.
    """
    if (feature := activation_resize(trt)) is not None:
        config.set_preview_feature(feature, True)
    if hasattr(trt.BuilderFlag, USER_ALLOCATION):
        config.set_flag(getattr(trt.BuilderFlag, USER_ALLOCATION))


def activation_resize(trt: Any) -> Any:
    """The preview feature by which an engine asks for the current shape's memory alone, or None."""
    return getattr(getattr(trt, "PreviewFeature", None), "RUNTIME_ACTIVATION_RESIZE_10_10", None)


def set_progress(trt: Any, config: Any, progress: Progress | None, cancelled: Callable[[], bool]) -> Any:
    """Report the build to `progress`, and stop it once `cancelled` returns True, if this version can.

    Returns an object that must live as long as the build.
    """
    if not hasattr(trt, "IProgressMonitor"):
        return None
    config.progress_monitor = monitor = _monitor(trt, progress, cancelled)
    return monitor


def float32_layers(trt: Any, network: Any) -> list[Any]:
    """The layers of a parsed network that compute in float32 according to the graph's types.

    The types are followed from the input through the casts, because the types that TensorRT reports ignore
    the casts if a network is not strongly typed (NvInfer.h of 8.5, `ILayer::setOutputType`).
    """
    moving = {getattr(trt.LayerType, name) for name in _NO_ARITHMETIC if hasattr(trt.LayerType, name)}
    floating = (trt.float32, trt.float16)
    image = network.get_input(0)
    types = {image.name: image.dtype}
    found = []
    for layer in (network.get_layer(index) for index in range(network.num_layers)):
        inputs = (layer.get_input(index) for index in range(layer.num_inputs))
        known = (types[tensor.name] for tensor in inputs if tensor is not None and tensor.name in types)
        cast = _cast_to(trt, layer)
        dtype = next(known, None) if cast is None else cast  # None: made of constants or shapes alone
        outputs = [layer.get_output(index) for index in range(layer.num_outputs)]
        if dtype not in floating or (cast is None and outputs[0].dtype not in floating):
            continue
        types |= {tensor.name: dtype for tensor in outputs}
        if dtype == trt.float32 and layer.type not in moving:
            found.append(layer)
    return found


def _cast_to(trt: Any, layer: Any) -> Any:
    """The type that a cast converts to; None for any other layer."""
    if layer.type == getattr(trt.LayerType, "CAST", None):
        layer.__class__ = trt.ICastLayer  # a network returns its layers as plain ILayer objects
        return layer.to_type
    if layer.type == trt.LayerType.IDENTITY and hasattr(layer, "output_type_is_set"):  # 8.5's cast
        return layer.get_output_type(0) if layer.output_type_is_set(0) else None
    return None


_NO_ARITHMETIC = (
    "CAST",
    "CONCATENATION",
    "CONSTANT",
    "IDENTITY",
    "SHAPE",
    "SHUFFLE",
    "SLICE",
    "SQUEEZE",
    "UNSQUEEZE",
)


def largest_activation(engine: Any) -> int:
    """Bytes of scratch memory for the largest shape of a deserialized engine."""
    for name in ("device_memory_size_v2", "device_memory_size"):
        if hasattr(engine, name):
            return int(getattr(engine, name))
    raise DeviceError(
        "This TensorRT does not report how much memory an engine needs; use version 8.5 or newer."
    )


def activation_for(trt: Any, engine: Any, name: str, shape: Sequence[int]) -> int:
    """Bytes of scratch memory for `shape` of the input `name`; for the largest shape on older versions."""
    if not hasattr(trt.IExecutionContext, "update_device_memory_size_for_shapes"):
        return largest_activation(engine)
    context = engine.create_execution_context(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
    context.set_input_shape(name, tuple(shape))
    # 0 means no scratch memory or an error; the size for the largest shape is right in both cases.
    return int(context.update_device_memory_size_for_shapes()) or largest_activation(engine)


def _monitor(trt: Any, progress: Progress | None, cancelled: Callable[[], bool]) -> Any:
    report = progress or (lambda phase, done, steps: None)

    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._steps: dict[str, int] = {}

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            self._steps[phase] = steps
            report(phase, 0, steps)

        def step_complete(self, phase: str, step: int) -> bool:
            report(phase, step + 1, self._steps.get(phase, step + 1))
            return not cancelled()

        def phase_finish(self, phase: str) -> None:
            steps = self._steps.pop(phase, 1)
            report(phase, steps, steps)

    return Monitor()
