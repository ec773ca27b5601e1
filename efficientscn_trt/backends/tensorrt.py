"""The pipeline on an NVIDIA GPU: TensorRT runs both networks, the CUDA core runs the rest."""

from __future__ import annotations

import logging
import re
import threading
import weakref
from collections import Counter
from typing import Any

import numpy as np

from .. import _core
from ..bundle import NETWORKS, Bundle, Engine
from ..bundle.core_parameters import bundle_errors, core_parameters
from ..bundle.reader import read_unaltered
from ..engines import EngineChoice, Gpu, this_machine
from ..engines.cache import obtain_engine
from ..engines.current_gpu import current
from ..engines.flavours import FLAVOURS, load
from ..engines.running import ExecutionApi
from ..engines.runtime_cache import RuntimeCache
from ..triples import Size
from ..user_cache import cache_folder
from .forks import keep_in_children
from .verification import verify_once

_log = logging.getLogger(__name__)


def load_tensorrt(bundle: Bundle, precision: str, threads: int, gpu: Gpu) -> TensorRTBackend:
    """Load the engines of `bundle` on `gpu`. If there are none for it, build them, once.

    Engines that have not run on such a GPU yet are verified first, once.
    Raises BundleError, DeviceError if TensorRT cannot run the engines, and FidelityError if they do not
    compute what the networks compute.
    """
    choice = obtain_engine(bundle, this_machine(gpu.index), precision, notice=_log.warning)
    backend = TensorRTBackend(bundle, choice, load(FLAVOURS[choice.flavour]), threads, gpu)
    verify_once(bundle, choice, backend, gpu, "{}.{}".format(*_core.cuda_status()["driver"]))
    return backend


class TensorRTBackend:
    """The chosen engines, each with an execution context of this backend.

    Backends on the same GPU share the engines if TensorRT allows it.
    """

    def __init__(
        self, bundle: Bundle, choice: EngineChoice, trt: Any, threads: int, gpu: Gpu, *, graphs: bool = True
    ) -> None:
        """`trt`: the module of the TensorRT that built the engines. `graphs`: replay networks from CUDA
        graphs at sizes where that is measured to be faster. Raises DeviceError or BundleError.
        """
        self.device, self.index, self.precision = f"cuda:{gpu.index}", gpu.index, choice.precision
        self.runtime = f"{FLAVOURS[choice.flavour].title} {trt.__version__}"
        parameters = core_parameters(bundle)
        self._gpu = gpu
        # Nobody signs kernels, so with trusted keys they are compiled each time.
        caches = [
            None if bundle.trusted else _kernel_cache(getattr(choice, network), gpu) for network in NETWORKS
        ]
        self._caches = [cache for cache in caches if cache is not None]
        self._runs: Counter[tuple[Size, Size]] = Counter()
        self._counting = threading.Lock()
        with current(gpu), bundle_errors():
            self._engines = [_loaded(trt, choice, network, gpu) for network in NETWORKS]
            localization, segmentation = (
                engine.network(cache) for engine, cache in zip(self._engines, caches, strict=True)
            )
            self.networks = (localization, segmentation)
            self.core = _core.DevicePipeline(
                localization,
                segmentation,
                parameters.localization,
                parameters.segmentation,
                len(bundle.manifest.labels),
                gpu.index,
                threads,
                # TensorRT-RTX compiles faster kernels while it runs. A recorded graph would never use them.
                graphs=graphs and choice.flavour == "tensorrt",
            )
        keep_in_children(self)

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask of the organs, bool [z, y, x], of `image`, float32 [z, y, x]."""
        mask: np.ndarray = self.core.localize_input(image)
        return mask

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities of the labels, float32 [label, z, y, x], of `image`, float32 [z, y, x]."""
        probabilities: np.ndarray = self.core.segment_input(image)
        return probabilities

    def bytes_for(self, network: str, size: Size) -> int:
        """None: the networks' memory is on the GPU."""
        return 0

    def trim(self) -> None:
        """Free the arena and its staging memory."""
        self.core.trim()

    def keep_kernels(self, localization: Size, segmentation: Size) -> None:
        """Save the kernels that TensorRT-RTX compiled for these sizes (z, y, x) of the networks' inputs.

        TensorRT-RTX runs general kernels while it compiles the best ones for a shape in the background. Few
        are ready after the first run, so this saves after the runs 1, 2, 4, 8 and so on at these sizes.
        """
        if not self._caches:
            return
        sizes = (localization, segmentation)
        with self._counting:
            self._runs[sizes] += 1
            if self._runs[sizes].bit_count() == 1:
                with current(self._gpu):  # the run leaves no GPU current on this thread
                    for cache in self._caches:
                        cache.save()


class _LoadedEngine:
    """A deserialized engine, for any number of execution contexts."""

    def __init__(self, trt: Any, plan: bytes) -> None:
        self.api = ExecutionApi(trt, _log.debug)
        self.engine = self.api.load_engine(plan)
        self._names = self.api.tensor_names(self.engine)
        self._lock = threading.Lock()

    def network(self, cache: RuntimeCache | None) -> Any:
        """Return the engine as a network with a new execution context."""
        with self._lock:
            context = self.api.create_context(self.engine, cache)
        return _core.Network(self.api, self.engine, context, *self._names)


_engines: weakref.WeakValueDictionary[tuple[str, str, int], _LoadedEngine] = weakref.WeakValueDictionary()
_engines_lock = threading.Lock()


def _loaded(trt: Any, choice: EngineChoice, network: str, gpu: Gpu) -> _LoadedEngine:
    """Return the engine of `network`; reuse one that is loaded already, if contexts may share it."""
    record: Engine = getattr(choice, network)
    key = (trt.__name__, record.sha256, gpu.index)
    with _engines_lock:
        found = _engines.get(key)
        if found is None or not found.api.shares_profiles():
            found = _engines[key] = _LoadedEngine(trt, _read_plan(choice, network))
        return found


def _read_plan(choice: EngineChoice, network: str) -> bytes:
    """Read the plan and verify its hash again.

    A plan is native code, and the file may have changed since it was verified and chosen.
    """
    record = getattr(choice, network)
    return read_unaltered(
        choice.file(network), record.sha256, "while it was loaded", "build the engines again"
    )


def _kernel_cache(engine: Engine, gpu: Gpu) -> RuntimeCache | None:
    """Return the cache of the kernels that TensorRT-RTX compiles for this engine on this GPU, if any."""
    folder = cache_folder() if engine.flavour == "tensorrt-rtx" else None
    if folder is None:
        return None
    name = re.sub(r"\W+", "-", gpu.name.lower())
    return RuntimeCache(folder / "kernels" / f"{engine.sha256[:16]}-{name}.bin")
