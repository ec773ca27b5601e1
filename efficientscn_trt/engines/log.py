"""Loggers for TensorRT's builders and runtimes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_ACTIVATION = re.compile(r"Total Activation Memory: (\d+)")

Say = Callable[[str], None]

_kept: list[Any] = []
"""Every logger that was made, so that none is ever freed.

TensorRT uses one logger for all builders and runtimes that exist at a time: the first that it was given
(`getLogger`). But a builder or runtime keeps only its own logger alive, so the first might be freed while it
is in use.
"""


def make_logger(trt: Any, say: Say | None) -> Any:
    """Return a logger that passes all messages to `say`, and keeps the errors.

    `errors`: the error messages. `activation`: bytes of scratch memory of the engine last built, as the
    builder reported them; None if it did not.
    """

    class Log(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []
            self.activation: int | None = None

        def log(self, severity: Any, message: str) -> None:
            if int(severity) <= int(trt.ILogger.ERROR):
                self.errors.append(message.strip())
            if found := _ACTIVATION.search(message):
                self.activation = int(found[1])
            if say is not None:
                say(message)

    log = Log()
    _kept.append(log)
    return log


def native_logger(trt: Any) -> Any:
    """A logger that runs no Python: TensorRT prints its errors itself."""
    log = trt.Logger(trt.Logger.ERROR)
    _kept.append(log)
    return log
