"""How a failed command ends: one sentence on stderr, no traceback unless asked for, and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable

import click

from ..errors import UNEXPECTED, EfficientSCNError, OutputError
from ..io.wording import system_reason, without_controls
from ..out_of_memory import NOT_ENOUGH, memory_errors
from .stop_signals import Stopped, arrived, raised_as_stopped

DEBUG = "EFFICIENTSCN_DEBUG"
MISSING_EXTRA = 69  # EX_UNAVAILABLE of sysexits.h
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

# The extra that installs each optional package, by the package's import name.
EXTRAS = {
    "export": (
        "tensorflow",
        "tf2onnx",
        "matplotlib",
        "onnx",
        "onnxruntime",
        "onnxscript",
        "onnx_ir",
        "keras",
    ),
    "ray": ("ray",),
    "sign": ("cryptography",),
    "parquet": ("pyarrow",),
    "train": ("torch", "scipy", "matplotlib"),
}


def exit_code_of(command: Callable[[], object]) -> int:
    """Call `command` and return its exit code. Errors are printed on stderr.

    With EFFICIENTSCN_DEBUG=1 in the environment, the traceback is printed too.
    """
    try:
        with raised_as_stopped(), memory_errors():
            result = command()
    except (Exception, Stopped, KeyboardInterrupt) as error:
        if arrived() == signal.SIGTERM:
            return _say("Terminated; nothing was left half-written.", TERMINATED)
        if arrived() or isinstance(error, click.Abort | KeyboardInterrupt):
            return _say("Interrupted; nothing was left half-written.", INTERRUPTED)
        return _failed(error)
    # click returns the code of Context.exit(), which `--help` also calls. Our commands return None.
    return result if isinstance(result, int) else 0


def _failed(error: BaseException) -> int:
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, EfficientSCNError):
        return _say(f"Error: {error}", error.exit_code)
    if isinstance(error, ModuleNotFoundError):
        return _say(*_missing_module(error))
    if isinstance(error, MemoryError):
        return _say(f"Error: {NOT_ENOUGH}", UNEXPECTED)
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        reason = system_reason(error)
        return _say(f"Error: An output cannot be written: {reason}; free some.", OutputError.exit_code)
    return _say(
        f"Unexpected error ({type(error).__name__}): {error}\n"
        f"This is a fault of efficientscn-trt. To report it, set {DEBUG}=1 for the traceback, "
        "and run the command again.",
        UNEXPECTED,
    )


def _missing_module(error: ModuleNotFoundError) -> tuple[str, int]:
    package = (error.name or "").partition(".")[0]
    for extra, packages in EXTRAS.items():
        if package in packages:
            return (
                f"Error: This command needs the Python package {package}, which is not installed; "
                f"run: pip install 'efficientscn-trt[{extra}]'",
                MISSING_EXTRA,
            )
    return f"Error: The installation is incomplete ({error}); install efficientscn-trt again.", UNEXPECTED


def _say(message: str, code: int) -> int:
    if os.environ.get(DEBUG, "0") not in ("", "0") and code not in (INTERRUPTED, TERMINATED):
        traceback.print_exc()
    print(without_controls(message), file=sys.stderr)
    return code
