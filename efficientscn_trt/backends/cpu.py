"""The networks on the CPU, run by the core or by OpenVINO."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod

import numpy as np

from .. import _core
from ..bundle import NETWORKS, Bundle
from ..errors import DeviceError
from ..system import instruction_sets
from ..triples import Size
from .core_networks import core_runs, load_core_network
from .forks import keep_in_children
from .older_bundles import core_forms
from .protocols import Network

_FLOAT = 4  # bytes


class CpuBackend:
    """Runs one image at a time, on all cores by default.

    In float32 the core runs the networks. It convolves by minimal filtering, which takes a third of the
    multiplications. OpenVINO, which is imported only then, runs them in bfloat16, and networks of another
    form. The SCN's memory is kept for the next image of the same size, because fresh pages would cost a tenth
    of the SCN's time.
    """

    device = "cpu"

    def __init__(self, bundle: Bundle, precision: str, threads: int) -> None:
        """Read both networks of `bundle`; `threads` 0 means all cores.

        Raises DeviceError if `precision` is "bf16" and the processor has no bfloat16 instructions, and
        BundleError if OpenVINO dies of a network, or if the localization network cannot be loaded. If the
        segmentation network cannot be loaded, `segment` raises BundleError.
        """
        self.precision = _precision(precision)
        self._labels = len(bundle.manifest.labels)
        loaders, self.runtime = _loaders(bundle, self.precision, threads)
        # The larger network is loaded meanwhile.
        background = ThreadPoolExecutor(1)
        self._segmentation = background.submit(loaders["segmentation"])
        background.shutdown(wait=False)
        self._localization = loaders["localization"]()
        keep_in_children(self, self._segmentation)

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask of the organs, bool [z, y, x], of `image`, float32 [z, y, x]."""
        mask = np.empty((1, *image.shape), np.bool_)
        self._localization.run(image, mask)
        self._localization.release()  # the segmentation network may need as much memory
        return mask[0]

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities of the labels, float32 [label, z, y, x], of `image`, float32 [z, y, x].

        Raises BundleError if the network cannot be loaded.
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


def core_runtime() -> str:
    """The core with its version and the instructions that it uses, such as "core 0.1.0 (avx512)"."""
    build = _core.build_info()
    return f"core {build['version']} ({build['simd_used']})"


def _loaders(bundle: Bundle, precision: str, threads: int) -> tuple[dict[str, Callable[[], Network]], str]:
    """What loads each network, and what runs them. Raises BundleError if OpenVINO dies of one."""
    forms = core_forms(bundle) if precision == "fp32" else {}
    loaders: dict[str, Callable[[], Network]] = {
        name: partial(load_core_network, bundle, name, form, threads)
        for name, form in forms.items()
        if core_runs(form, bundle, name)
    }
    others = [name for name in NETWORKS if name not in loaders]
    if not others:
        return loaders, core_runtime()
    from .openvino_loader import load_with_openvino
    from .openvino_start import RUNTIME
    from .trial import try_networks

    try_networks(bundle, others, precision, threads)
    for name in others:
        loaders[name] = partial(load_with_openvino, bundle, name, precision, threads)
    return loaders, RUNTIME if len(others) == len(NETWORKS) else f"{core_runtime()}, {RUNTIME}"


def has_bfloat16() -> bool:
    """Whether the processor has bfloat16 instructions that OpenVINO uses."""
    from .openvino_start import ov_core

    return "BF16" in ov_core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _precision(asked: str) -> str:
    if asked == "auto":
        # bfloat16 is faster than the core in float32 only with matrix units (AMX).
        return "bf16" if "amx_bf16" in instruction_sets() and has_bfloat16() else "fp32"
    if asked == "bf16" and not has_bfloat16():
        raise DeviceError("This processor has no bfloat16 instructions; use the precision fp32 or auto.")
    return asked
