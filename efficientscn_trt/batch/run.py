"""A batch: give tasks to workers, write down what becomes of them, and go on whatever happens to one."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from .. import errors
from ..errors import BatchError, DeviceError, EfficientSCNError, InputError
from ..io.unfinished import clear_abandoned
from .journal import Failure, Journal, Record
from .many import most_in_flight, reader_count
from .outputs import Written
from .worker import Setup, Task
from .workers import WorkerProcess

_MOST_IN_A_ROW = 5
"""So many scans in a row that fail, not for what they are, mean that all would."""

_POLL = 1.0  # seconds
_MOST_STARTS = 3


@dataclass(frozen=True)
class Machine:
    """What a batch may use: the arguments of `Segmenter`, a worker for each of `devices`, and memory in all.

    `seconds`: how long a worker may be silent. `retries`: how often a scan that failed is tried again, unless
    it was refused for what it is.
    """

    bundle: Path
    devices: tuple[str, ...]
    precision: str
    threads: int
    memory: int
    seconds: float
    retries: int


class Run:
    """Does tasks, and adds a record for each to the journal."""

    def __init__(
        self,
        machine: Machine,
        folder: Path,
        settings: str,
        journal: Journal,
        done: Callable[[Record], None],
        known: Mapping[str, Record],
    ) -> None:
        """`done` is called with each record. `known`: the last records."""
        self._machine, self._folder, self._settings = machine, folder, settings
        self._journal, self._done, self._known = journal, done, known
        self._events: SimpleQueue[tuple[WorkerProcess, Any]] = SimpleQueue()
        self._workers: list[WorkerProcess] = []
        self._waiting: deque[Task] = deque()
        self._alone: deque[Task] = deque()  # failed, or were in flight when a worker died
        self._run_alone: set[int] = set()
        self._failures: Counter[int] = Counter()
        self._in_a_row = 0
        self._starts = 0  # in a row that failed

    def do(self, tasks: Sequence[Task]) -> None:
        """Do `tasks`, whatever happens to one.

        Raises BatchError if all seem to fail, what loading the networks raises, and OutputError.
        """
        try:
            self._do(tasks)
        except BaseException:
            for worker in self._workers:
                worker.kill()
            raise
        finally:
            for worker in self._workers:
                worker.end()
                self._clear(worker)

    def _clear(self, worker: WorkerProcess) -> None:
        """Remove what a worker that ended left unfinished."""
        for task in worker.tasks.values():
            for name in task.outputs.names:
                clear_abandoned((self._folder / name).parent)

    def _do(self, tasks: Sequence[Task]) -> None:
        self._waiting.extend(tasks)
        setups = _setups(self._machine, self._folder, any(task.outputs.preview for task in tasks))
        for setup in setups[: len(tasks)]:
            self._start(setup)
        while self._waiting or self._alone or any(worker.tasks for worker in self._workers):
            for worker in self._workers:
                self._fill(worker)
                worker.check(self._machine.seconds)
            try:
                worker, message = self._events.get(timeout=_POLL)
            except Empty:
                continue
            worker.heard = time.monotonic()
            if message is None:
                self._ended(worker)
            elif "refused" in message:
                raise _as_error(Failure(**message["refused"]))
            elif "ready" in message:
                worker.ready, self._starts = True, 0
            else:
                self._finished(worker.tasks.pop(message.pop("done")), message)

    def _start(self, setup: Setup) -> None:
        in_flight = most_in_flight(reader_count(len(setup.cores)))
        self._workers.append(WorkerProcess(setup, in_flight, self._events))

    def _fill(self, worker: WorkerProcess) -> None:
        if not worker.ready or not self._run_alone.isdisjoint(worker.tasks):
            return
        if self._alone:
            if not worker.tasks:
                task = self._alone.popleft()
                self._run_alone.add(task.number)
                worker.give(task)
            return
        while self._waiting and len(worker.tasks) < worker.most_in_flight:
            worker.give(self._waiting.popleft())

    def _ended(self, worker: WorkerProcess) -> None:
        """A worker died."""
        self._workers.remove(worker)
        failure = worker.failure(self._machine.seconds)
        self._clear(worker)
        if not worker.ready:
            self._starts += 1
            if self._starts >= _MOST_STARTS:
                raise DeviceError(
                    f"The networks cannot be loaded: the process died {self._starts} times. "
                    f"{failure.sentence} Run `efficientscn-trt info`."
                )
        tasks = list(worker.tasks.values())
        if len(tasks) == 1:
            self._failed(tasks[0], failure)
        else:  # it is not known which one is to blame
            self._alone.extend(tasks)
        self._start(worker.setup)

    def _finished(self, task: Task, message: dict[str, Any]) -> None:
        if "failure" in message:
            self._failed(task, Failure(**message["failure"]))
            return
        self._in_a_row = 0
        if message.get("unchanged"):
            self._add(replace(self._known[task.entry.id], stamp=task.stamp, ended=time.time()))
            return
        outputs = tuple(Written(**each) for each in message["outputs"])
        self._add(
            replace(self._record(task), content=message["content"], outputs=outputs, result=message["result"])
        )

    def _failed(self, task: Task, failure: Failure) -> None:
        for_what_it_is = failure.code == InputError.exit_code
        self._failures[task.number] += 1
        if not for_what_it_is and self._failures[task.number] <= self._machine.retries:
            self._alone.append(task)
            return
        self._add(replace(self._record(task), failure=failure))
        self._in_a_row = 0 if for_what_it_is else self._in_a_row + 1
        if self._in_a_row >= _MOST_IN_A_ROW:
            raise BatchError(
                f"{self._in_a_row} scans in a row failed, the last with: {failure.sentence} "
                "Mend this, and run the same command again."
            )

    def _record(self, task: Task) -> Record:
        entry = task.entry
        return Record(
            entry.id, str(entry.path), entry.series, task.stamp, settings=self._settings, ended=time.time()
        )

    def _add(self, record: Record) -> None:
        self._journal.add(record)
        self._done(record)


def _setups(machine: Machine, folder: Path, keep_scans: bool) -> list[Setup]:
    """One for each device. Several share the cores and the memory."""
    count = len(machine.devices)
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    return [
        Setup(
            machine.bundle.absolute(),
            device,
            machine.precision,
            machine.threads,
            machine.memory // count,
            tuple(cores[number * len(cores) // count : (number + 1) * len(cores) // count]),
            folder.absolute(),
            keep_scans,
        )
        for number, device in enumerate(machine.devices)
    ]


def _as_error(failure: Failure) -> EfficientSCNError:
    kind = getattr(errors, failure.kind, EfficientSCNError)
    error: EfficientSCNError = kind(failure.sentence)
    return error
