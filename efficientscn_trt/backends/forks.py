"""What a forked process may do with networks.

A forked process has one thread, the one that forked. What other threads held locked stays locked in it, and
the threads of OpenVINO and CUDA do not exist there. So:

- On a CPU, networks that were idle at the fork work in the child too, and it can load others.
- If a thread was loading or running networks at the fork, the child is told so at its first use of networks.
  It would otherwise wait for ever for a lock of that thread.
- CUDA never works in a child whose parent used it.
- What a library made before the fork is never destroyed in the child: the library would wait for threads that
  do not exist.
"""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any

from ..errors import DeviceError

_ADVICE = 'start processes by the method "spawn"'


class _Process:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.in_use = 0  # by how many threads
        self.stuck = False
        self.cuda_used_by = 0  # the process's number
        # Each kept object, with what is still being loaded for it.
        self.kept: weakref.WeakKeyDictionary[object, tuple[Future[Any], ...]] = weakref.WeakKeyDictionary()
        self.preparations: list[Callable[[], object]] = []

    def before_fork(self) -> None:
        with self.lock:
            pending = list(self.kept.values())
        for loading in pending:
            wait(loading)
        for prepare in self.preparations:
            prepare()

    def after_fork(self) -> None:
        """In the child."""
        self.lock = threading.Lock()
        self.stuck = self.stuck or self.in_use > 0
        self.in_use = 0
        for made in list(self.kept):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))


_process = _Process()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_process.before_fork, after_in_child=_process.after_fork)


@contextmanager
def networks_in_use(device: str = "cpu") -> Iterator[None]:
    """Says that this thread loads or runs networks, so that a process forked meanwhile does not.

    Raises DeviceError in a process that was forked while another thread did so, or from one that used CUDA
    if `device` is a GPU.
    """
    if device.startswith("cuda"):
        check_cuda()
    if _process.stuck:
        raise DeviceError(
            "This process was forked while another thread loaded or ran networks, so it can run none; "
            f"{_ADVICE}, or fork while no scan is being segmented."
        )
    with _process.lock:
        _process.in_use += 1
    try:
        yield
    finally:
        with _process.lock:
            _process.in_use -= 1


def keep_in_children(made: object, *loading: Future[Any]) -> None:
    """Never destroy `made` in a forked process. This process will fork only after `loading`."""
    with _process.lock:
        _process.kept[made] = loading


def prepare_by(prepare: Callable[[], object]) -> None:
    """Call `prepare` before each fork, when nothing is being loaded."""
    _process.preparations.append(prepare)


def check_cuda() -> None:
    """Raise DeviceError if this process was forked from one that had used CUDA."""
    if _process.cuda_used_by not in (0, os.getpid()):
        raise DeviceError(
            f"CUDA does not work in a process that was forked from one that had used it; {_ADVICE}, or load "
            "networks only after the fork."
        )


def note_cuda() -> None:
    """Say that this process has used CUDA."""
    _process.cuda_used_by = os.getpid()
