"""Fakes of the GPU and of the driver for gpu_check.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .fake_memory import HostBlock, array_at

SECONDS = 0.002


class FakeCard:
    """Replaces `on_gpu.card.Card`: queued work runs at once, and takes `SECONDS`."""

    stream = 0

    def block(self, size: int) -> Any:
        return HostBlock(size)

    def write(self, address: int, array: np.ndarray) -> None:
        array_at(address, array.shape, array.dtype)[...] = array

    def synchronize(self) -> None:
        pass

    def seconds(self, queue: Callable[[], object], runs: int) -> list[float]:
        for _ in range(runs):
            queue()
        return [SECONDS] * runs


class FakeDriver:
    """Replaces libcuda.so.1: records its calls, has an H100's memory, and reports 2 ms between two events.

    The call `failing` returns 999.
    """

    def __init__(self, failing: str = "") -> None:
        self.calls: list[str] = []
        self.failing = failing

    def __getattr__(self, name: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            self.calls.append(name)
            if name == "cuEventElapsedTime":
                arguments[0]._obj.value = SECONDS * 1e3
            if name == "cuStreamCreate":
                arguments[0]._obj.value = 77
            if name == "cuDeviceGetAttribute":
                arguments[0]._obj.value = {36: 2_619_000, 37: 5120}[arguments[1]]
            return 999 if name == self.failing else 0

        return call
