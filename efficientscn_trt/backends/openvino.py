"""The networks on the CPU, by OpenVINO."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import openvino as ov

from ..bundle import Bundle
from ..errors import BundleError, DeviceError
from ..user_cache import cache_folder

_HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoBackend:
    """One compiled model a network, of dynamic shape, which runs one image at a time on all cores.

    Compiling for each shape instead costs up to 0.6 s of CPU time an image, saves 8% of the SCN's memory, and
    with AVX2 runs no faster beyond the noise.
    """

    device = "cpu"

    def __init__(self, bundle: Bundle, precision: str, threads: int) -> None:
        """Compile both networks of `bundle`; `threads` 0 means all cores.

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
        # The larger network compiles while the smaller one does, and while the first scan is read.
        background = ThreadPoolExecutor(1)
        self._segmentation = background.submit(_CompiledNetwork, core, bundle, "segmentation", config)
        background.shutdown(wait=False)
        self._localization = _CompiledNetwork(core, bundle, "localization", config)

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask of the organs, bool [z, y, x], of `image`, float32 [z, y, x]."""
        mask = np.empty((1, *image.shape), np.bool_)
        self._localization.run(image, mask)
        return mask[0]

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities of the labels, float32 [label, z, y, x], of `image`, float32 [z, y, x].

        Raises BundleError if the network cannot be compiled.
        """
        probabilities = np.empty((1, self._labels, *image.shape), np.float32)
        self._segmentation.result().run(image, probabilities)
        return probabilities[0]


class _CompiledNetwork:
    """A compiled model that holds no buffers between calls."""

    def __init__(self, core: ov.Core, bundle: Bundle, name: str, config: dict[str, Any]) -> None:
        file = bundle.file(name)
        if cache := cache_folder():
            # OpenVINO tells files apart by path and time, so each content gets a folder of its own.
            config = config | {"CACHE_DIR": str(cache / getattr(bundle.manifest.networks, name).sha256[:16])}
        try:
            self._model = core.compile_model(str(file), "CPU", config)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise BundleError(f"OpenVINO cannot compile {file}: {reason}") from error
        self._lock = threading.Lock()

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """Run on `image` [z, y, x], writing into `output` without a copy."""
        with self._lock:  # memory can be released only while no request runs
            request = self._model.create_infer_request()
            request.set_input_tensor(ov.Tensor(image[np.newaxis, np.newaxis], shared_memory=True))
            request.set_output_tensor(ov.Tensor(output, shared_memory=True))
            request.infer()
            del request
            self._model.release_memory()  # else the SCN keeps 2 GB after its largest input


def _precision(core: ov.Core, asked: str) -> str:
    native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if asked == "auto":
        return "bf16" if native else "fp32"
    if asked == "bf16" and not native:
        raise DeviceError("This processor has no bfloat16 instructions; use the precision fp32 or auto.")
    return asked
