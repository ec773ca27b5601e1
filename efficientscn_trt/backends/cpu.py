"""The networks on the CPU, run by the core and by OpenVINO."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core
from ..bundle import Bundle
from ..errors import DeviceError
from ..system import instruction_sets
from ..triples import Size
from ..user_cache import cache_folder
from .cpu_networks import Network, Scn, UNetFirst, WholeNetwork
from .forks import keep_in_children
from .network_form import check_form
from .openvino_network import OpenVinoNetwork, explained
from .openvino_start import ov, ov_core, read_onnx
from .scn_graph import MULTIPLES, find_spatial
from .unet_graph import find_unet, without_unet

_FLOAT = 4  # bytes
_HINTS = {"fp32": "f32", "bf16": "bf16"}


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
        BundleError if the localization network cannot be compiled. If the segmentation network cannot be
        compiled, `segment` raises BundleError.
        """
        self.precision = _precision(precision)
        self._labels = len(bundle.manifest.labels)
        loader = _Loader(bundle, self.precision, threads)
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


class _Loader:
    """Reads the networks of a bundle."""

    def __init__(self, bundle: Bundle, precision: str, threads: int) -> None:
        self._bundle, self._threads = bundle, threads
        self._by_core = precision == "fp32"
        self._config: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
        }
        if threads:
            self._config["INFERENCE_NUM_THREADS"] = threads

    def load(self, name: str) -> Network:
        """Read the network `name`, and compile the parts that need compiling only once.

        The others are compiled for each size, when they run.

        Raises BundleError if OpenVINO cannot read or compile them, or if they are networks of another form.
        """
        file = self._bundle.file(name)
        with explained(file):
            graph = read_onnx(file)
        check_form(graph, name, self._bundle)

        def rest(graph: ov.Model, by_size: bool = name == "segmentation") -> OpenVinoNetwork:
            return OpenVinoNetwork(graph, file, self._config, self._cache(name), by_size)

        found = find_unet(graph) if self._by_core else None
        if found is None or not self._sizes_are(name, (found.multiple,) * 3):
            return WholeNetwork(rest(graph))
        unet = _core.UNet(found.contracting, found.expanding, found.head, found.slope)
        spatial = find_spatial(graph, found) if self._sizes_are(name, MULTIPLES) else None
        if spatial is not None:
            return Scn(unet, rest(spatial, by_size=False), self._threads)  # takes little memory at any size
        return UNetFirst(unet, rest(without_unet(graph, found)), self._threads)

    def _sizes_are(self, name: str, multiples: Size) -> bool:
        valid = getattr(self._bundle.manifest.pipeline, name).valid_sizes
        return all(
            size % multiple == 0 for sizes, multiple in zip(valid, multiples, strict=True) for size in sizes
        )

    def _cache(self, name: str) -> Path | None:
        # OpenVINO tells files apart by path and time alone, so the folder is named after the file's content.
        cache = cache_folder()
        return cache and cache / getattr(self._bundle.manifest.networks, name).sha256[:16]


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
