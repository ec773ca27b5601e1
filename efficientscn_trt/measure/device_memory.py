"""Ask the driver at intervals how much GPU memory is in use on this machine, as the FLARE challenge does."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from types import TracebackType

INTERVAL_S = 0.1

_LIBRARY = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"


class _Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def used_by_driver() -> Callable[[], int] | None:
    """Return a function that asks NVML for the bytes in use on all GPUs together; None without a GPU."""
    try:
        nvml = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    count = ctypes.c_uint()
    if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) or not count.value:
        return None
    handles = []
    for index in range(count.value):
        handle = ctypes.c_void_p()
        if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
            return None
        handles.append(handle)

    def used() -> int:
        total = 0
        for handle in handles:
            memory = _Memory()
            nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
            total += memory.used
        return total

    return used


class PeakDeviceMemory:
    """The largest growth of the memory in use while the block runs: `with PeakDeviceMemory() as device: ...`.

    All processes of the machine count, so nothing else should run on its GPUs. `peak` is None without a GPU.
    """

    def __init__(self, used: Callable[[], int] | None = None, interval: float = INTERVAL_S) -> None:
        self.peak: int | None = None
        self._used, self._interval = used or used_by_driver(), interval
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakDeviceMemory:
        if self._used is not None:
            self._base, self.peak = self._used(), 0
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        assert self._used is not None and self.peak is not None
        while not self._done.wait(self._interval):
            self.peak = max(self.peak, self._used() - self._base)
