"""The networks on the CPU, run by the core and by OpenVINO."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np

from ..bundle import Bundle
from ..errors import DeviceError
from ..system import instruction_sets
from ..triples import Size
from .cpu_loader import Loader
from .forks import keep_in_children
from .openvino_start import RUNTIME, ov_core
from .trial import try_networks

_FLOAT = 4  # bytes


class CpuBackend:
    """Runs one image at a time, on all cores by default.

    In float32 the core runs the U-Net at the start of each network and the end of the SCN; OpenVINO runs the
    rest. The core convolves by minimal filtering, which takes a third of the multiplications. In bfloat16,
    and for a network of another form, OpenVINO runs everything. The SCN's memory is kept for the next image
    of the same size, because fresh pages would cost a tenth of the SCN's time.
    """

    device = "cpu"

    def __init__(self, bundle: Bundle, precision: str, threads: int) -> None:
        """Read both networks of `bundle`; `threads` 0 means all cores.

        Raises DeviceError if `precision` is "bf16" and the processor has no bfloat16 instructions, and
        BundleError if OpenVINO dies of a network, or if the localization network cannot be compiled. If the
        segmentation network cannot be compiled, `segment` raises BundleError.
        """
        self.precision = _precision(precision)
        self.runtime = RUNTIME
        self._labels = len(bundle.manifest.labels)
        try_networks(bundle, self.precision, threads)
        loader = Loader(bundle, self.precision, threads)
        # The larger network is read while the smaller one compiles.
        background = ThreadPoolExecutor(1)
        self._segmentation = background.submit(loader.load, "segmentation")
        background.shutdown(wait=False)
        self._localization = loader.load("localization")
        keep_in_children(self, self._segmentation)

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask of the organs, bool [z, y, x], of `image`, float32 [z, y, x]."""
        mask = np.empty((1, *image.shape), np.bool_)
        self._localization.run(image, mask)
        self._localization.release()  # the segmentation network may need as much memory
        return mask[0]

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities of the labels, float32 [label, z, y, x], of `image`, float32 [z, y, x].

        Raises BundleError if the network cannot be compiled.
        """
        probabilities = np.empty((1, self._labels, *image.shape), np.float32)
        self._segmentation.result().run(image, probabilities)
        return probabilities[0]

    def bytes_for(self, network: str, size: Size) -> int:
        """See `Backend`. Raises BundleError as `segment` does."""
        if network == "localization":
            return self._localization.bytes_for(size) + prod(size)
        return self._segmentation.result().bytes_for(size) + _FLOAT * self._labels * prod(size)

    def trim(self) -> None:
        """Free the memory that the SCN keeps. Raises BundleError as `segment` does."""
        self._segmentation.result().release()


def has_bfloat16() -> bool:
    """Whether the processor has bfloat16 instructions that OpenVINO uses."""
    return "BF16" in ov_core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _precision(asked: str) -> str:
    native = has_bfloat16()
    if asked == "auto":
        # bfloat16 is faster than the core's U-Net in float32 only with matrix units (AMX).
        return "bf16" if native and "amx_bf16" in instruction_sets() else "fp32"
    if asked == "bf16" and not native:
        raise DeviceError("This processor has no bfloat16 instructions; use the precision fp32 or auto.")
    return asked
