"""A process that answers requests with a library that some inputs make die or hang."""

from __future__ import annotations

import pickle
import selectors
import subprocess
import sys
from collections.abc import Callable
from typing import Any


class Worker:
    """Runs `script`, which calls `serve`, when it is first asked, and again after it died."""

    def __init__(self, script: str, seconds: float) -> None:
        self._script, self._seconds = script, seconds
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Any) -> Any:
        """The answer. None if the process dies over it, or takes longer than its seconds."""
        if self._process is None:
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
    """Answer requests until there are no more."""
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(answer(request), sys.stdout.buffer)
        sys.stdout.buffer.flush()
