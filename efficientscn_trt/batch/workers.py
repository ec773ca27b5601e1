"""The processes that segment: how they are started, given tasks, heard and ended."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from ..backends.child_process import ending_of, python_command
from ..errors import UNEXPECTED
from .journal import Failure
from .worker import Setup, Task

_LONGEST_END = 10  # seconds

_PROGRAM = f"from {__package__}.worker import main; main()"


class WorkerProcess:
    """One process. Its messages arrive in `events` with itself; None says that it ended."""

    def __init__(
        self, setup: Setup, most_in_flight: int, events: SimpleQueue[tuple[WorkerProcess, Any]]
    ) -> None:
        self.setup, self.most_in_flight, self._events = setup, most_in_flight, events
        self.tasks: dict[int, Task] = {}
        self.ready = False
        self.late = False
        self.heard = time.monotonic()
        self._process = subprocess.Popen(
            python_command(_PROGRAM),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        # A process that hangs does not read what it is sent.
        self._sent: SimpleQueue[Setup | Task | None] = SimpleQueue()
        self._sent.put(setup)
        for work in (self._hear, self._send_all):
            threading.Thread(target=work, daemon=True).start()

    def give(self, task: Task) -> None:
        """Add a task."""
        if not self.tasks:
            self.heard = time.monotonic()
        self.tasks[task.number] = task
        self._sent.put(task)

    def check(self, seconds: float) -> None:
        """Kill the process if it has tasks, but was not heard of for so many seconds."""
        if self.tasks and time.monotonic() - self.heard > seconds:
            self.late = True
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def failure(self, seconds: float) -> Failure:
        """Why the process ended, which it was not asked to."""
        code = self._process.wait()
        if self.late:
            return Failure(
                UNEXPECTED, "late", f"The scan was not done within {seconds:g} s, and was stopped."
            )
        cause = ", perhaps for lack of memory" if code == -signal.SIGKILL else ""
        return Failure(
            UNEXPECTED, "died", f"The process that segmented the scan died ({ending_of(code)}){cause}."
        )

    def end(self) -> None:
        """Ask it to end, because there are no more tasks, and wait for it."""
        self._sent.put(None)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_LONGEST_END)
        self.kill()
        self._process.wait()

    def _send_all(self) -> None:
        assert self._process.stdin
        with suppress(OSError), self._process.stdin as stdin:  # if it died, `_hear` notices
            while (thing := self._sent.get()) is not None:
                pickle.dump(thing, stdin)
                stdin.flush()

    def _hear(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with suppress(ValueError):  # the end of a line is missing if it died
                self._events.put((self, json.loads(line)))
        self._events.put((self, None))
