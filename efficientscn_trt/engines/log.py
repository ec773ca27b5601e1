"""What a builder says while it works."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_ACTIVATION = re.compile(r"Total Activation Memory: (\d+)")

Say = Callable[[str], None]

_kept: list[Any] = []
"""Every logger. Of several that builders and runtimes have at a time, TensorRT writes to the address of the
first (`getLogger`) until the last of them is gone, but each of them keeps alive its own alone."""


def make_logger(trt: Any, say: Say | None) -> Any:
    """A logger for `Builder`: all messages go to `say`; `errors` and `activation` keep what matters.

    `errors`: the messages of errors. `activation`: bytes of scratch memory of the engine last built, from the
    builder's own account, or None if it gave none.
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
