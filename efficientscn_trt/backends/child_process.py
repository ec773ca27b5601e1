"""What processes that this package starts in Python have in common."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

_PR_SET_PDEATHSIG = 1


def python_command(program: str) -> list[str]:
    """The command that runs `program`, which imports what this process would, not what is in the folder.

    Raises OSError in a program that embeds Python, because that would start itself.
    """
    name = Path(sys.executable or "").name.lower()
    if hasattr(sys, "frozen") or not ("python" in name or "pypy" in name):
        raise OSError(f"{sys.executable} is no Python")
    path = [str(folder) for folder in sys.path]
    return [sys.executable, "-c", f"import sys; sys.path[:] = {path!a}; {program}"]


def ending_of(exit_code: int) -> str:
    """How a process ended: the name of a signal, or its exit code."""
    with suppress(ValueError):
        return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"


def end_with_caller() -> None:
    """In the process: let the system end it when the thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def take_stdout() -> TextIO:
    """In the process: stdout for this package's lines alone, in ASCII. What libraries print is dropped."""
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return lines


def leave_no_core() -> None:
    """In the process: leave no core dump, which would have a patient's scan, where it dies."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        # One byte is too little for a file, and says that no program shall get it either (man 5 core).
        resource.setrlimit(resource.RLIMIT_CORE, (1 if most else 0, most))
