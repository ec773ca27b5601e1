"""Ctrl-C and SIGTERM as an exception, remembered where a library turns it into another one or drops it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_arrived: list[int] = []


class Stopped(BaseException):
    """A signal arrived. As with KeyboardInterrupt, `finally` blocks run, so nothing is left half-written."""


def arrived() -> int | None:
    """The number of the signal that arrived first, if any."""
    return _arrived[0] if _arrived else None


def stop_if_asked() -> None:
    """Raise Stopped if a signal arrived and its exception got lost, as in the import of a native module."""
    if _arrived:
        raise Stopped


@contextmanager
def raised_as_stopped() -> Iterator[None]:
    """Raise Stopped where SIGINT or SIGTERM arrives, unless this process was started to ignore it."""
    _arrived.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        _arrived.append(number)
        raise Stopped

    before = {number: signal.getsignal(number) for number in _NUMBERS}
    heeded = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def ignore() -> None:
    """Ignore the signals from now on, because all work is done."""
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)
