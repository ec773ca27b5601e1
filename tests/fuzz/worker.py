"""A process that answers requests with a library that some inputs make die or hang."""

from __future__ import annotations

import os
import pickle
import resource
import selectors
import subprocess
import sys
from collections.abc import Callable
from typing import Any

_MOST_MEMORY, _MUCH_MEMORY = 8 << 30, 2 << 30  # bytes


class Worker:
    """Runs `script`, which calls `serve`, when it is first asked, and again after it died."""

    def __init__(self, script: str, seconds: float) -> None:
        self._script, self._seconds = script, seconds
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Any) -> Any:
        """The answer. None if the process dies over it, or takes longer than its seconds."""
        if self._process is None or self._process.poll() is not None:
            pipe = subprocess.PIPE
            command = [sys.executable, self._script]
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        assert self._process.stdin and self._process.stdout
        try:
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(self._process.stdout, selectors.EVENT_READ)
                if selector.select(self._seconds):
                    return pickle.load(self._process.stdout)
        except (OSError, EOFError):
            pass
        self._process.kill()
        self._process.wait()
        self._process = None
        return None


def serve(answer: Callable[[Any], Any]) -> None:
    """Answer requests until there are no more, or until one took much memory, which may never be freed."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libraries print
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10 < _MUCH_MEMORY:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(answer(request), answers)
        answers.flush()
