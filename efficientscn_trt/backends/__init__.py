"""Where the two networks run: backends, chosen by the name of a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..bundle import Bundle
from ..errors import DeviceError

PRECISIONS = ("auto", "fp32", "bf16")


class Backend(Protocol):
    """The networks of one bundle, compiled. No call leaves a trace in the next; calls may overlap."""

    device: str
    precision: str

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask of the organs, bool [z, y, x], of `image`, float32 [z, y, x]."""
        ...

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities of the labels, float32 [label, z, y, x], of `image`, float32 [z, y, x]."""
        ...


def _cpu(bundle: Bundle, precision: str, threads: int) -> Backend:
    from .openvino import OpenVinoBackend

    return OpenVinoBackend(bundle, precision, threads)


#: In the order in which "auto" prefers them.
_BACKENDS: dict[str, Callable[[Bundle, str, int], Backend]] = {"cpu": _cpu}

DEVICES = ("auto", *_BACKENDS)


def load(bundle: Bundle, device: str = "auto", precision: str = "auto", threads: int = 0) -> Backend:
    """Compile the networks of `bundle` for `device`; `threads` CPU threads, 0 for all of the machine.

    Raises DeviceError if the device or precision is not to be had.
    """
    if precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise DeviceError(f"The precision {precision!r} is not known, expected one of {known}.")
    if threads < 0:
        raise DeviceError(f"The number of threads is {threads}, expected 1 or more, or 0 for all.")
    if device == "auto":
        device = next(iter(_BACKENDS))
    if device not in _BACKENDS:
        known = ", ".join(DEVICES)
        raise DeviceError(f"This version has no backend for the device {device!r}, expected one of {known}.")
    return _BACKENDS[device](bundle, precision, threads)
