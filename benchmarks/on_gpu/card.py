"""The first GPU through the driver API: a stream, the times of work on it, and plain copies."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from efficientscn_trt import _core

_MEMORY_CLOCK_KHZ, _MEMORY_BUS_BITS = 36, 37  # CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, ..._BUS_WIDTH
_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING


class Card:
    """The first GPU. Makes its primary context current on this thread. Raises RuntimeError and OSError."""

    def __init__(self, driver: Any = None) -> None:
        self._driver = driver or ctypes.CDLL("libcuda.so.1")
        self._call("cuInit", 0)
        device, context, stream = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self._call("cuStreamCreate", ctypes.byref(stream), _NON_BLOCKING)
        self._device, self._stream = device, stream

    @property
    def stream(self) -> int:
        """A stream that does not wait for the default stream, as a number."""
        return self._stream.value or 0

    def block(self, size: int) -> Any:
        """Return a block of `size` bytes on the device, which are at its `address` as long as it lives."""
        return _core.DeviceBlock(size, 0)

    def write(self, address: int, array: np.ndarray) -> None:
        """Copy `array` to the device."""
        _core.write_device(address, np.ascontiguousarray(array).reshape(-1).view(np.uint8))

    def synchronize(self) -> None:
        """Wait for all queued work."""
        self._call("cuStreamSynchronize", self._stream)

    def seconds(self, queue: Callable[[], object], runs: int) -> list[float]:
        """Return the device time of each of `runs` calls of `queue`, which queues work on `stream`."""
        events = [self._event() for _ in range(runs + 1)]
        self._call("cuEventRecord", events[0], self._stream)
        for event in events[1:]:
            queue()
            self._call("cuEventRecord", event, self._stream)
        self.synchronize()
        milliseconds = ctypes.c_float()
        found = []
        for begin, end in pairwise(events):
            self._call("cuEventElapsedTime", ctypes.byref(milliseconds), begin, end)
            found.append(milliseconds.value / 1e3)
        for event in events:
            self._call("cuEventDestroy_v2", event)
        return found

    def copy_rates(self, size: int = 1 << 28, runs: int = 10) -> dict[str, float]:
        """Return the bytes per second of the fastest of `runs` copies of `size` bytes.

        Copies go from page-locked host memory to the device, back, and within the device. Within the device
        each byte counts twice, because it is read and written.
        """
        one, other = self.block(size), self.block(size)
        host = ctypes.c_void_p()
        self._call("cuMemAllocHost_v2", ctypes.byref(host), ctypes.c_size_t(size))
        to, from_ = ctypes.c_uint64(one.address), ctypes.c_uint64(other.address)
        copies = {
            "to_device": (1, "cuMemcpyHtoDAsync_v2", to, host),
            "from_device": (1, "cuMemcpyDtoHAsync_v2", host, to),
            "on_device": (2, "cuMemcpyDtoDAsync_v2", to, from_),
        }
        rates = {}
        for way, (times, call, target, source) in copies.items():

            def queue(call: str = call, target: Any = target, source: Any = source) -> None:
                self._call(call, target, source, ctypes.c_size_t(size), self._stream)

            rates[way] = times * size / min(self.seconds(queue, runs))
        self._call("cuMemFreeHost", host)
        return rates

    def memory_rate(self) -> float:
        """Return bytes per second by the memory's clock and bus, two transfers per clock; 0 if unknown."""
        clock, bits = ctypes.c_int(), ctypes.c_int()
        self._call("cuDeviceGetAttribute", ctypes.byref(clock), _MEMORY_CLOCK_KHZ, self._device)
        self._call("cuDeviceGetAttribute", ctypes.byref(bits), _MEMORY_BUS_BITS, self._device)
        return 2 * clock.value * 1e3 * bits.value / 8

    def _event(self) -> ctypes.c_void_p:
        event = ctypes.c_void_p()
        self._call("cuEventCreate", ctypes.byref(event), 0)
        return event

    def _call(self, name: str, *arguments: Any) -> None:
        if code := getattr(self._driver, name)(*arguments):
            raise RuntimeError(f"{name} answers {code}")
