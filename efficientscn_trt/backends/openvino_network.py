"""A network run by OpenVINO on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BundleError
from ..io.wording import excerpt
from ..out_of_memory import memory_errors
from ..triples import Size
from .openvino_cache import cache_option
from .openvino_memory import reduce_memory
from .openvino_need import peak_bytes
from .openvino_start import FAILURES, compile_model, ov

_LONGEST_REASON = 500  # characters


class OpenVinoNetwork:
    """A `Network` whose graph is compiled once, or again for each new size.

    Compiling for each size costs time, but a large graph then runs faster and in less memory.
    """

    def __init__(
        self,
        graph: ov.Model,
        file: Path,
        config: dict[str, Any],
        cache: Path | None,
        by_size: bool,
    ) -> None:
        """`graph` takes an image [1, 1, z, y, x]. `file` is its origin, for error messages. `cache` is
        the folder for compiled graphs, if any. `by_size`: compile in `run` for each new size, not once here.

        Raises BundleError if the graph cannot be compiled here.
        """
        self._graph, self._file, self._config, self._cache = graph, file, config, cache
        self._compiled: ov.CompiledModel | None = None
        self._size: Size | None = None
        self._bytes_per_value = 2 if config.get("INFERENCE_PRECISION_HINT") == "bf16" else 4
        self._bytes_per_voxel: float | None = None
        self._lock = threading.Lock()
        if not by_size:
            self._compiled = self._compile(self._graph)

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """See `Network`. Writes without a copy.

        Raises MemoryError, and BundleError if the graph cannot be compiled or run.
        """
        z, y, x = image.shape
        with self._lock, explained(self._file, "run"):
            request = self._compiled_for((z, y, x)).create_infer_request()
            request.set_input_tensor(ov.Tensor(image[np.newaxis, np.newaxis], shared_memory=True))
            request.set_output_tensor(ov.Tensor(output, shared_memory=True))
            request.infer()

    def bytes_for(self, size: Size) -> int:
        """See `Network`. Raises BundleError if the graph does not take an image of this size."""
        if self._bytes_per_voxel is None:
            self._reshaped(size)
        assert self._bytes_per_voxel is not None
        return int(self._bytes_per_voxel * prod(size))

    def release(self) -> None:
        """See `Network`."""
        with self._lock:  # memory can be released only while no request runs
            if self._compiled is not None:
                self._compiled.release_memory()

    def _compiled_for(self, size: Size) -> ov.CompiledModel:
        if self._compiled is None or self._size not in (None, size):
            self._compiled = None  # two compiled graphs would hold the weights twice
            self._compiled = self._compile(self._reshaped(size), size)
            self._size = size
        return self._compiled

    def _reshaped(self, size: Size) -> ov.Model:
        with explained(self._file):
            graph = self._graph.clone()
            graph.reshape([1, 1, *size])
            reduce_memory(graph)
        if self._bytes_per_voxel is None:
            self._bytes_per_voxel = peak_bytes(graph, self._bytes_per_value) / prod(size)
        return graph

    def _compile(self, graph: ov.Model, size: Size | None = None) -> ov.CompiledModel:
        # One folder per size, because `cache_option` reads every file of a folder.
        folder = self._cache and (self._cache / "x".join(map(str, size)) if size else self._cache)
        with explained(self._file), cache_option(folder) as option:
            return compile_model(graph, self._config | option)


@contextmanager
def explained(file: Path, attempt: str = "compile") -> Iterator[None]:
    """Turns OpenVINO's errors into a BundleError that names `file`, or a MemoryError."""
    try:
        with memory_errors():
            yield
    except FAILURES as error:
        text = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
        # A reason may be followed by advice for those who extend OpenVINO.
        lines = [line for line in text.splitlines() if line.strip() and "https://docs.openvino" not in line]
        reason = excerpt((lines or ["no reason given"])[-1], _LONGEST_REASON)
        raise BundleError(
            f"OpenVINO cannot {attempt} {file}: {reason.rstrip('.')}; export the bundle again."
        ) from error
