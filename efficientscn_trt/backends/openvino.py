"""The networks on the CPU, by OpenVINO."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import openvino as ov

from ..bundle import Bundle
from ..errors import BundleError, DeviceError
from ..user_cache import cache_folder
from .openvino_memory import reduce_memory

_HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoBackend:
    """Runs one image at a time, on all cores.

    The localization network is compiled once, of dynamic shape; the SCN for the size that it last saw. That
    costs 0.3 to 0.6 s of CPU time a new size and lets it do with two thirds of the memory, which it keeps for
    the next image: fresh pages would cost a tenth of its time.
    """

    device = "cpu"

    def __init__(self, bundle: Bundle, precision: str, threads: int) -> None:
        """Read both networks of `bundle` and compile the first; `threads` 0 means all cores.

        Raises DeviceError if `precision` is "bf16" and the processor lacks it, BundleError if the first
        network cannot be compiled; of the second `segment` tells.
        """
        core = ov.Core()
        self.precision = _precision(core, precision)
        self._labels = len(bundle.manifest.labels)
        config: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[self.precision],
        }
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        # The larger network is read while the smaller one compiles.
        background = ThreadPoolExecutor(1)
        self._segmentation = background.submit(_Network, core, bundle, "segmentation", config)
        background.shutdown(wait=False)
        self._localization = _Network(core, bundle, "localization", config)
        self._localization.compile()

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask of the organs, bool [z, y, x], of `image`, float32 [z, y, x]."""
        mask = np.empty((1, *image.shape), np.bool_)
        self._localization.run(image, mask)
        self._localization.release()  # the segmentation network may need as much
        return mask[0]

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities of the labels, float32 [label, z, y, x], of `image`, float32 [z, y, x].

        Raises BundleError if the network cannot be compiled.
        """
        probabilities = np.empty((1, self._labels, *image.shape), np.float32)
        self._segmentation.result().run(image, probabilities)
        return probabilities[0]

    def trim(self) -> None:
        """Give back the memory that the SCN keeps. Raises BundleError as `segment` does."""
        self._segmentation.result().release()


class _Network:
    """A network of a bundle."""

    def __init__(self, core: ov.Core, bundle: Bundle, name: str, config: dict[str, Any]) -> None:
        self._core, self._file, self._config = core, bundle.file(name), config
        if cache := cache_folder():
            # OpenVINO tells files apart by path and time, so each content gets a folder of its own.
            folder = cache / getattr(bundle.manifest.networks, name).sha256[:16]
            self._config = config | {"CACHE_DIR": str(folder)}
        with self._explained():
            self._network = core.read_model(str(self._file))
        self._compiled: ov.CompiledModel | None = None
        self._size: tuple[int, ...] | None = None
        self._lock = threading.Lock()

    def compile(self) -> None:
        """Once for every size."""
        with self._explained():
            self._compiled = self._core.compile_model(self._network, "CPU", self._config)

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """Run on `image` [z, y, x], writing into `output` without a copy."""
        with self._lock:
            compiled = self._compiled_for(image.shape)
            request = compiled.create_infer_request()
            request.set_input_tensor(ov.Tensor(image[np.newaxis, np.newaxis], shared_memory=True))
            request.set_output_tensor(ov.Tensor(output, shared_memory=True))
            request.infer()

    def release(self) -> None:
        """Free the buffers, which are made anew when they are needed."""
        with self._lock:  # memory can be released only while no request runs
            if self._compiled is not None:
                self._compiled.release_memory()

    def _compiled_for(self, size: tuple[int, ...]) -> ov.CompiledModel:
        if self._compiled is None or self._size not in (None, size):
            self._compiled = None  # two at once would be twice the weights
            with self._explained():
                network = self._network.clone()
                network.reshape([1, 1, *size])
                reduce_memory(network)
                self._compiled = self._core.compile_model(network, "CPU", self._config)
            self._size = size
        return self._compiled

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise BundleError(f"OpenVINO cannot compile {self._file}: {reason}") from error


def _precision(core: ov.Core, asked: str) -> str:
    native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if asked == "auto":
        return "bf16" if native else "fp32"
    if asked == "bf16" and not native:
        raise DeviceError("This processor has no bfloat16 instructions; use the precision fp32 or auto.")
    return asked
