"""The CUDA driver through ctypes, for what tests do on a GPU without the package."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@cache
def driver() -> ctypes.CDLL:
    """The driver's library."""
    return ctypes.CDLL("libcuda.so.1")


def copy_on_device(to: int, source: int, size: int, stream: int) -> None:
    """Queue a copy of `size` bytes on a stream of the current context."""
    _check(
        driver().cuMemcpyDtoDAsync_v2(
            ctypes.c_uint64(to), ctypes.c_uint64(source), ctypes.c_size_t(size), ctypes.c_void_p(stream)
        )
    )


def current_context() -> int | None:
    """The context of this thread."""
    context = ctypes.c_void_p()
    _check(driver().cuCtxGetCurrent(ctypes.byref(context)))
    return context.value


@contextmanager
def context_of_its_own() -> Iterator[int]:
    """Make a context of the first GPU current that is not its primary one, as pycuda.autoinit does."""
    context = ctypes.c_void_p()
    _check(driver().cuCtxCreate_v2(ctypes.byref(context), ctypes.c_uint(0), ctypes.c_int(0)))
    try:
        yield context.value or 0
    finally:
        _check(driver().cuCtxDestroy_v2(context))


@contextmanager
def memory_of_context(size: int) -> Iterator[int]:
    """The address of device memory that belongs to the current context."""
    address = ctypes.c_uint64()
    _check(driver().cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(size)))
    try:
        yield address.value
    finally:
        _check(driver().cuMemFree_v2(address))


def _check(result: int) -> None:
    if result != 0:
        raise RuntimeError(f"the CUDA driver answers {result}")
