"""Memory for the tensors of networks that NumPy computes, on the host or on a GPU."""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

import numpy as np

from efficientscn_trt import _core

from .cuda_driver import copy_on_device
from .device_scans import on_gpu

Shape = tuple[int, ...]


class Memory(Protocol):
    """How an engine reads and writes at an address."""

    def read(self, address: int, shape: Shape, dtype: Any, stream: int) -> np.ndarray:
        """Return the array at `address` after `stream` is done."""

    def write(self, address: int, array: np.ndarray, stream: int) -> None:
        """Write `array` at `address` after the work on `stream`."""


class HostMemory:
    """Memory of the host, for tests that need no GPU."""

    def read(self, address: int, shape: Shape, dtype: Any, stream: int) -> np.ndarray:
        return array_at(address, shape, dtype).copy()

    def write(self, address: int, array: np.ndarray, stream: int) -> None:
        array_at(address, array.shape, array.dtype)[...] = array


class GpuMemory:
    """Memory of the current GPU."""

    def read(self, address: int, shape: Shape, dtype: Any, stream: int) -> np.ndarray:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        found: np.ndarray = _core.read_device(address, size, stream).view(dtype).reshape(shape)
        return found

    def write(self, address: int, array: np.ndarray, stream: int) -> None:
        _core.write_device(address, np.ascontiguousarray(array).reshape(-1).view(np.uint8), stream)


class QueuedMemory:
    """Memory of the current GPU for networks that a graph can capture.

    A network's results are kept on the GPU and copied from there, so nothing waits for the stream. Its inputs
    read as zeros.
    """

    def __init__(self) -> None:
        self.kept: dict[bytes, Any] = {}

    def read(self, address: int, shape: Shape, dtype: Any, stream: int) -> np.ndarray:
        return np.zeros(shape, dtype)

    def write(self, address: int, array: np.ndarray, stream: int) -> None:
        content = np.ascontiguousarray(array).tobytes()
        if content not in self.kept:
            self.kept[content] = on_gpu(np.frombuffer(content, np.uint8))
        copy_on_device(address, self.kept[content].owner.address, len(content), stream)


class HostBlock:
    """Memory of the host, aligned as TensorRT requires."""

    def __init__(self, size: int) -> None:
        self._memory = np.full(size + 256, 0xA5, np.uint8)
        self.address = -(-self._memory.ctypes.data // 256) * 256


def array_at(address: int, shape: Shape, dtype: Any) -> np.ndarray:
    """The array of `shape` and `dtype` at a host address."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = (ctypes.c_uint8 * size).from_address(address)
    return np.frombuffer(buffer, dtype).reshape(shape)
