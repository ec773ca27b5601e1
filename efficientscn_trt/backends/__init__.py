"""Where the two networks run: backends, chosen by the name of a device."""

from __future__ import annotations

import logging
import operator
import re
from collections.abc import Callable
from typing import SupportsIndex

from ..bundle import Bundle
from ..bundle.core_parameters import core_parameters
from ..errors import DeviceError, EfficientSCNError
from ..io.wording import shown
from .protocols import Backend

__all__ = ["DEVICES", "MOST_THREADS", "PRECISIONS", "Backend", "load", "split_device", "thread_count"]

_log = logging.getLogger(__name__)

PRECISIONS = ("auto", "fp32", "fp16", "bf16")


def _cuda(bundle: Bundle, precision: str, threads: int, index: int) -> Backend:
    if precision == "bf16":
        raise DeviceError(
            "A GPU has no precision bf16 here, expected fp16, fp32 or auto; choose one of these."
        )
    from .gpu import require_gpu

    gpu = require_gpu(index)
    from .tensorrt import load_tensorrt

    return load_tensorrt(bundle, precision, threads, gpu)


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

_NUMBERED = re.compile(r"cuda:([0-9]{1,4})")

MOST_THREADS = 1024


def split_device(device: str) -> tuple[str, int]:
    """Split a name such as "cuda:1" into one of DEVICES and the GPU's number. Raises DeviceError."""
    if isinstance(device, str) and (found := _NUMBERED.fullmatch(device)):
        return "cuda", int(found[1])
    if not isinstance(device, str) or device not in DEVICES:
        known = ", ".join(DEVICES)
        raise DeviceError(
            f"This version has no backend for the device {shown(device)}, expected one of {known}, or cuda:1 "
            "for a second GPU."
        )
    return device, 0


def thread_count(threads: SupportsIndex) -> int:
    """`threads` as an int. Raises ValueError unless it is a whole number from 0, for all cores, to 1,024."""
    try:
        count = operator.index(threads)
    except TypeError:
        count = -1
    if not 0 <= count <= MOST_THREADS:
        raise ValueError(
            f"The number of threads is {shown(threads)}, expected a whole number from 1 to {MOST_THREADS}, "
            "or 0 for all cores."
        )
    return count


def load(bundle: Bundle, device: str = "auto", precision: str = "auto", threads: int = 0) -> Backend:
    """Compile the networks of `bundle` for `device`; `threads` is the number of CPU threads, 0 for all.

    "auto" takes the first device that works, and logs why those before it do not.
    Raises BundleError, DeviceError if the device or precision is not available, and ValueError as
    `thread_count` does.
    """
    if not isinstance(precision, str) or precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise DeviceError(f"The precision {shown(precision)} is not known, expected one of {known}.")
    threads = thread_count(threads)
    core_parameters(bundle)  # refused before networks are loaded
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
