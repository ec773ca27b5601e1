"""The workers that segment, as the batch sees them: given tasks, heard and ended."""

from __future__ import annotations

import pickle
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeAlias

from ..backends.child_process import ending_of, python_command
from ..errors import UNEXPECTED
from .journal import Failure, parsed
from .many import most_in_flight, reader_count
from .worker import Setup, Task

LONGEST_END = 10  # seconds

_PROGRAM = f"from {__package__}.worker import main; main()"


class Worker(ABC):
    """A worker. Its messages arrive in a queue with itself; None says that it ended."""

    def __init__(self, most_in_flight: int) -> None:
        self.most_in_flight = most_in_flight
        self.tasks: dict[int, Task] = {}
        self.ready = False
        self.heard = time.monotonic()
        self._late = False

    def give(self, task: Task) -> None:
        """Add a task."""
        if not self.tasks:
            self.heard = time.monotonic()
        self.tasks[task.number] = task
        self._send(task)

    def check(self, seconds: float) -> None:
        """Kill the worker if it has tasks, but was not heard of for so many seconds."""
        if self.tasks and time.monotonic() - self.heard > seconds:
            self._late = True
            self.kill()

    def failure(self, seconds: float) -> Failure:
        """Why the worker ended, which it was not asked to. `seconds`: as for `check`."""
        if self._late:
            return Failure(
                UNEXPECTED, "late", f"The scan was not done within {seconds:g} s, and was stopped."
            )
        return self._cause()

    @abstractmethod
    def kill(self) -> None:
        """End it at once."""

    @abstractmethod
    def stop(self) -> None:
        """Ask it to end, because there are no more tasks."""

    @abstractmethod
    def wait(self) -> None:
        """Wait until it has ended, and end it if that takes long."""

    @abstractmethod
    def _send(self, task: Task) -> None: ...

    @abstractmethod
    def _cause(self) -> Failure: ...


Events: TypeAlias = SimpleQueue[tuple[Worker, Any]]


class LocalWorker(Worker):
    """A process on this machine."""

    def __init__(self, setup: Setup, events: Events) -> None:
        super().__init__(most_in_flight(reader_count(len(setup.cores))))
        self._events = events
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

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def stop(self) -> None:
        """Ask it to end."""
        self._sent.put(None)

    def wait(self) -> None:
        """Wait until it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=LONGEST_END)
        self.kill()
        self._process.wait()

    def _send(self, task: Task) -> None:
        self._sent.put(task)

    def _cause(self) -> Failure:
        code = self._process.wait()
        cause = ", perhaps for lack of memory" if code == -signal.SIGKILL else ""
        return Failure(
            UNEXPECTED, "died", f"The process that segmented the scan died ({ending_of(code)}){cause}."
        )

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
                self._events.put((self, parsed(line)))
        self._events.put((self, None))
