"""Build one engine from one network, with any TensorRT package."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..bundle import ActivationMemory, Profile
from ..errors import DeviceError
from . import api
from .current_gpu import current
from .log import Say, make_logger
from .options import BuildOptions
from .target import Target

T = TypeVar("T")


@dataclass(frozen=True)
class OnnxFile:
    """A network's file as it was when it was read."""

    path: Path
    content: bytes

    @classmethod
    def read(cls, path: Path) -> OnnxFile:
        """Raises OSError."""
        return cls(path, path.read_bytes())


@dataclass(frozen=True)
class Parsed:
    """A network as TensorRT read it: its input, and the layers that compute in float32, by name."""

    input: str
    float32_layers: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A serialized engine, and the network that it was built from."""

    content: bytes
    seconds: float
    activation: ActivationMemory | None
    network: Parsed


@dataclass(frozen=True)
class _Built:
    content: bytes
    activation: int | None
    network: Parsed


@dataclass(frozen=True)
class _Work:
    """What a build needs. `parser` owns the weights of `network`, and `config` needs `timings`, as long."""

    builder: Any
    parser: Any
    network: Any
    config: Any
    timings: Any


class NetworkBuilder:
    """Builds engines for one target; its timing cache grows from one build to the next."""

    def __init__(
        self,
        target: Target,
        options: BuildOptions,
        timing_cache: bytes | None = None,
        *,
        layer_details: bool = False,
        say: Say | None = None,
    ) -> None:
        """`timing_cache` is None if none is used. `say` is called with every message of TensorRT.

        Timings that do not fit are measured again, unless the options name their file or demand them.

        `layer_details`: keep the details of each layer in the engine, for its inspector.
        """
        self._target, self._options = target, options
        self._layer_details, self._say = layer_details, say
        self.timing_cache = timing_cache

    def build(
        self,
        onnx: OnnxFile,
        profile: Profile,
        *,
        can_load: bool,
        progress: api.Progress | None = None,
    ) -> Plan:
        """Build the engine of the network in the file `onnx` for the sizes of `profile`.

        `can_load`: whether the engine can be loaded here to ask how much memory it needs. If not, the builder
        reports the memory of the largest shape, and a second build that of the typical shape. `progress` is
        called with the phases of each build.
        Raises DeviceError if TensorRT cannot build it.
        """
        begin = time.perf_counter()
        built = self._interruptible(onnx, profile, progress)
        seconds = time.perf_counter() - begin
        memory = self._ask(built, profile) if can_load else self._account(onnx, profile, built, progress)
        return Plan(built.content, seconds, memory, built.network)

    def parse(self, onnx: OnnxFile, profile: Profile) -> Parsed:
        """Read the network and set every option as `build` does, but build nothing. Raises DeviceError."""
        with current(self._target.gpu):
            work = self._configure(onnx, profile, make_logger(self._target.trt, self._say))
            return self._parsed(work.network)

    def _interruptible(self, onnx: OnnxFile, profile: Profile, progress: api.Progress | None) -> _Built:
        """Run `_build` in a thread of its own, so that Ctrl-C arrives here and not inside TensorRT."""
        cancelled = threading.Event()

        def work() -> _Built:
            with current(self._target.gpu):  # here, because a GPU is current on one thread only
                return self._build(onnx, profile, progress, cancelled.is_set)

        return _in_thread(work, cancelled)

    def _build(
        self, onnx: OnnxFile, profile: Profile, progress: api.Progress | None, cancelled: Callable[[], bool]
    ) -> _Built:
        trt = self._target.trt
        log = make_logger(trt, self._say)
        work = self._configure(onnx, profile, log)
        monitor = api.set_progress(trt, work.config, progress, cancelled)
        plan = work.builder.build_serialized_network(work.network, work.config)
        if plan is None:
            raise self._failure(f"cannot build {onnx.path.name}", log, self._too_strict())
        if self.timing_cache is not None:
            self.timing_cache = api.timings(work.config)
        del monitor
        return _Built(bytes(plan), log.activation, self._parsed(work.network))

    def _configure(self, onnx: OnnxFile, profile: Profile, log: Any) -> _Work:
        """Read the network of the file `onnx`, and set how to build it."""
        trt, options = self._target.trt, self._options
        builder = trt.Builder(log)
        network = builder.create_network(api.network_flags(trt))
        parser = trt.OnnxParser(network, log)
        if not parser.parse(onnx.content):
            raise self._failure(f"cannot read {onnx.path}", log)
        config = builder.create_builder_config()
        config.add_optimization_profile(self._profile(builder, network, profile))
        api.set_precision(trt, config, network, options.precision)
        api.use_own_kernels(trt, config)
        api.set_workspace(trt, config, options.workspace)
        api.plan_scratch(trt, config)
        if options.version_compatible:
            api.make_version_compatible(trt, config)
        api.set_optimization_level(config, options.optimization_level)
        timings = self._timings(config)
        if options.error_on_timing_cache_miss:
            api.refuse_timing(trt, config)
        if self._layer_details:
            api.keep_layer_details(trt, config)
        to_set = self._target.to_set
        if to_set and (refused := api.set_capabilities(trt, config, to_set)):
            raise self._failure(f"does not build for the compute capability {refused}", log)
        return _Work(builder, parser, network, config, timings)

    def _timings(self, config: Any) -> Any:
        """Give the build the timings of earlier ones. Raises DeviceError if it needs them."""
        if self.timing_cache is None:
            return None
        if (cache := api.set_timing_cache(config, self.timing_cache)) is not None:
            return cache
        options = self._options
        if options.timing_cache is not None or options.error_on_timing_cache_miss:
            which = "the timing cache" if options.timing_cache is None else options.timing_cache
            gpu = "" if self._target.gpu is None else f" for {self._target.gpu.name}"
            raise DeviceError(
                f"{which} is damaged, or no timing cache of {self._target.title}{gpu}; give another file, "
                "one that does not exist yet, or leave the options for timings out."
            )
        return api.set_timing_cache(config, b"")

    def _parsed(self, network: Any) -> Parsed:
        single = (layer.name for layer in api.float32_layers(self._target.trt, network))
        return Parsed(network.get_input(0).name, tuple(single))

    def _profile(self, builder: Any, network: Any, profile: Profile) -> Any:
        image = network.get_input(0)
        result = builder.create_optimization_profile()
        result.set_shape(
            image.name, *(tensor_shape(size) for size in (profile.min, profile.opt, profile.max))
        )
        return result

    def _ask(self, built: _Built, profile: Profile) -> ActivationMemory:
        """The memory that the engine itself reports, on the GPU that it was built for."""
        trt = self._target.trt
        log = make_logger(trt, self._say)
        with current(self._target.gpu):
            engine = trt.Runtime(log).deserialize_cuda_engine(built.content)
            if engine is None:
                raise self._failure("cannot load the engine that it built", log)
            return ActivationMemory(
                largest=api.largest_activation(engine),
                typical=api.activation_for(trt, engine, built.network.input, tensor_shape(profile.opt)),
            )

    def _account(
        self, onnx: OnnxFile, profile: Profile, built: _Built, progress: api.Progress | None
    ) -> ActivationMemory | None:
        """The memory that the builder reports; a second build reports that of the typical shape."""
        smaller = Profile(profile.min, profile.opt, profile.opt)
        typical = self._interruptible(onnx, smaller, progress).activation
        if built.activation is None or typical is None:
            return None
        return ActivationMemory(built.activation, typical)

    def _too_strict(self) -> str:
        """Which of the user's limits may be why a build failed."""
        options, hint = self._options, ""
        if options.workspace_mib is not None:
            hint += f" --workspace {options.workspace_mib} may be too little; give more, or leave it out."
        if options.error_on_timing_cache_miss:
            hint += " If a timing is missing, build once without --error-on-timing-cache-miss."
        return hint

    def _failure(self, what: str, log: Any, hint: str = "") -> DeviceError:
        reason = log.errors[-1].rstrip(".") if log.errors else "it gives no reason"
        return DeviceError(
            f"{self._target.title} {what}: {reason}.{hint} `efficientscn-trt build --verbose` says more."
        )


def tensor_shape(size: Sequence[int]) -> tuple[int, ...]:
    """The shape of an input of this size (z, y, x)."""
    return (1, 1, *size)


def _in_thread(work: Callable[[], T], cancelled: threading.Event) -> T:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            while not wait([future], timeout=0.1).done:
                pass
        except BaseException:  # Ctrl-C: leaving the pool waits until TensorRT has stopped
            cancelled.set()
            raise
        return future.result()
