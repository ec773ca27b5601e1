"""Where the two networks run: backends, chosen by the name of a device."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from ..bundle import Bundle
from ..errors import DeviceError, EfficientSCNError
from .protocols import Backend

__all__ = ["DEVICES", "PRECISIONS", "Backend", "load", "split_device"]

_log = logging.getLogger(__name__)

PRECISIONS = ("auto", "fp32", "fp16", "bf16")


def _cuda(bundle: Bundle, precision: str, threads: int, index: int) -> Backend:
    if precision == "bf16":
        raise DeviceError(
            "A GPU has no precision bf16 here, expected fp16, fp32 or auto; choose one of these."
        )
    from .tensorrt import load_tensorrt

    return load_tensorrt(bundle, precision, threads, index)


def _cpu(bundle: Bundle, precision: str, threads: int, index: int) -> Backend:
    if precision == "fp16":
        raise DeviceError(
            "A CPU has no precision fp16 here, expected fp32, bf16 or auto; choose one of these."
        )
    from .cpu import CpuBackend

    return CpuBackend(bundle, precision, threads)


#: By device, in the order in which "auto" tries them.
_BACKENDS: dict[str, Callable[[Bundle, str, int, int], Backend]] = {"cuda": _cuda, "cpu": _cpu}

DEVICES = ("auto", *_BACKENDS)

_NUMBERED = re.compile(r"cuda:(\d+)")


def split_device(device: str) -> tuple[str, int]:
    """Split a name such as "cuda:1" into one of DEVICES and the GPU's number. Raises DeviceError."""
    if found := _NUMBERED.fullmatch(device):
        return "cuda", int(found[1])
    if device not in DEVICES:
        known = ", ".join(DEVICES)
        raise DeviceError(
            f"This version has no backend for the device {device!r}, expected one of {known}, or cuda:1 for "
            "a second GPU."
        )
    return device, 0


def load(bundle: Bundle, device: str = "auto", precision: str = "auto", threads: int = 0) -> Backend:
    """Compile the networks of `bundle` for `device`; `threads` is the number of CPU threads, 0 for all.

    "auto" takes the first device that works, and logs why those before it do not.
    Raises DeviceError if the device or precision is not available.
    """
    if precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise DeviceError(f"The precision {precision!r} is not known, expected one of {known}.")
    if threads < 0:
        raise DeviceError(f"The number of threads is {threads}, expected 1 or more, or 0 for all.")
    name, index = split_device(device)
    if name != "auto":
        return _BACKENDS[name](bundle, precision, threads, index)
    return _first_that_works(bundle, precision, threads)


def _first_that_works(bundle: Bundle, precision: str, threads: int) -> Backend:
    *preferred, last = _BACKENDS.values()
    for backend in preferred:
        try:
            return backend(bundle, precision, threads, 0)
        except EfficientSCNError as error:
            _log.info("%s", error)
    return last(bundle, precision, threads, 0)
