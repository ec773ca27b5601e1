"""How the versions of TensorRT differ when an engine runs. Everything else is the same from 8.5 to 11.

The core drives the execution context (csrc/engine) and asks an `ExecutionApi` for what differs. Differences
are found by asking the module what it has, never by its version number.

| | 8.5 | 10 and 11, lean too | RTX |
| --- | --- | --- | --- |
| a context without scratch memory | a method of its own | `USER_MANAGED` | `USER_MANAGED` |
| giving it scratch memory | an address | an address and a size (10.0: an address) | an address and a size |
| scratch memory | for the largest shape | for the current shape | for the current shape |
| one profile in several contexts | no | yes | yes |
| kernels compiled on first use | no | no | yes, kept in a runtime cache |
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any, NoReturn

from ..errors import BundleError, DeviceError
from .api import largest_activation
from .log import Say, make_logger, native_logger
from .runtime_cache import RuntimeCache


class ExecutionApi:
    """Loads and runs engines with `trt`, the module of any TensorRT; `say` is called with its messages.

    Raises DeviceError if TensorRT cannot start, for instance because the driver is too old.
    """

    def __init__(self, trt: Any, say: Say | None = None) -> None:
        self.trt = trt
        self._log = make_logger(trt, say)
        self._runtime = trt.Runtime(self._log)
        # A runtime cache must outlive the contexts that compile into it.
        self._caches: weakref.WeakKeyDictionary[Any, RuntimeCache] = weakref.WeakKeyDictionary()
        if self._log.errors:
            # TensorRT did not start, and the destructor of this empty runtime would crash the process, even
            # at exit (lean 11.4). So one reference to it is never released.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._runtime))
            self.fail("Runtime")

    def engine_validity(self, header: bytes) -> tuple[str, tuple[str, ...]]:
        """What TensorRT-RTX says of a plan's `header`, and why: VALID, SUBOPTIMAL or INVALID."""
        validity, bits = self._runtime.get_engine_validity(header)
        known = self.trt.EngineInvalidityDiagnostics.__members__
        return validity.name, tuple(name for name, bit in known.items() if bits & int(bit))

    def load_engine(self, plan: bytes) -> Any:
        """Load the engine of a plan whose hash was verified. Raises DeviceError."""
        engine = self._deserialized(plan)
        if self._compiles_in_background():
            # TensorRT's threads must not log through Python: they would wait for the interpreter, which may
            # be waiting for them, or may have ended. The plan is known to load, so their messages are not
            # needed. The first runtime is freed, because TensorRT uses its logger while any runtime exists.
            del engine
            self._runtime = None
            self._runtime = self.trt.Runtime(native_logger(self.trt))
            engine = self._deserialized(plan)
        return engine

    def _deserialized(self, plan: bytes) -> Any:
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            self.fail("deserialize_cuda_engine")
        return engine

    def _compiles_in_background(self) -> bool:
        """Whether TensorRT compiles kernels in threads of its own while an engine runs."""
        return hasattr(self.trt, "IRuntimeCache")

    def tensor_names(self, engine: Any) -> tuple[str, str]:
        """The names of an engine's input and output. Raises BundleError if it does not have one of each."""
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        mode = self.trt.TensorIOMode
        inputs = [name for name in names if engine.get_tensor_mode(name) == mode.INPUT]
        outputs = [name for name in names if engine.get_tensor_mode(name) == mode.OUTPUT]
        if len(inputs) != 1 or len(outputs) != 1:
            self.refuse(
                f"The engine has the inputs {', '.join(inputs)} and the outputs {', '.join(outputs)}, "
                "expected one of each; build it again from this bundle."
            )
        return inputs[0], outputs[0]

    def shares_profiles(self) -> bool:
        """Whether several contexts may use one profile at a time; if not, each needs an engine of its own."""
        return hasattr(self.trt, "ExecutionContextAllocationStrategy")

    def create_context(self, engine: Any, cache: RuntimeCache | None = None) -> Any:
        """A context that has no scratch memory of its own. Raises DeviceError."""
        strategies = getattr(self.trt, "ExecutionContextAllocationStrategy", None)
        if strategies is None:
            context = engine.create_execution_context_without_device_memory()
        elif cache is not None and self._compiles_in_background():
            config = self.runtime_config(engine)
            cache.attach(config)
            context = engine.create_execution_context(config)
        else:
            context = engine.create_execution_context(strategies.USER_MANAGED)
        if context is None:
            self.fail("create_execution_context")
        if cache is not None:
            self._caches[context] = cache
        return context

    def runtime_config(self, engine: Any) -> Any:
        """TensorRT-RTX's settings for a context that has no scratch memory of its own."""
        config = engine.create_runtime_config()
        strategies = self.trt.ExecutionContextAllocationStrategy
        config.set_execution_context_allocation_strategy(strategies.USER_MANAGED)
        return config

    def profile_ranges(self, engine: Any, name: str) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """(smallest, largest) shape of the input `name` in each optimization profile."""
        ranges = []
        for index in range(engine.num_optimization_profiles):
            smallest, _, largest = engine.get_tensor_profile_shape(name, index)
            ranges.append((tuple(smallest), tuple(largest)))
        return ranges

    def activation_bytes(self, engine: Any, context: Any, profile: int) -> int:
        """Bytes of scratch memory for the shape set on `context`; for the largest shape on older versions."""
        if hasattr(context, "update_device_memory_size_for_shapes"):
            # 0 means no scratch memory or an error; the size for the largest shape is right in both cases.
            if needed := int(context.update_device_memory_size_for_shapes()):
                return needed
            if hasattr(engine, "get_device_memory_size_for_profile_v2"):  # from 10.1 on
                return int(engine.get_device_memory_size_for_profile_v2(profile))
        return largest_activation(engine)

    def give_memory(self, context: Any, address: int, size: int) -> None:
        """Let `context` use `size` bytes of device memory at `address` as scratch."""
        if hasattr(context, "set_device_memory"):
            context.set_device_memory(address, size)
        else:
            context.device_memory = address

    def fail(self, call: str) -> NoReturn:
        """Raise DeviceError for a call that returned False or nothing, with the error TensorRT logged."""
        silent = "its reason is printed above" if self._compiles_in_background() else "it gives no reason"
        reason = self._log.errors[-1].rstrip(".") if self._log.errors else silent
        raise DeviceError(f"TensorRT {self.trt.__version__} failed in {call}: {reason}.")

    def refuse(self, sentence: str) -> NoReturn:
        """Raise BundleError for an engine that does not fit this package."""
        raise BundleError(sentence)
