"""A batch: give tasks to workers, write down what becomes of them, and go on whatever happens to one."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from .. import errors
from ..errors import BatchError, DeviceError, EfficientSCNError, InputError
from ..io.unfinished import clear_abandoned
from .journal import Failure, Journal, Record
from .machine import Machine
from .outputs import Written
from .slots import Slot, Slots
from .worker import Task
from .workers import Events, Worker

_MOST_IN_A_ROW = 5
"""So many scans in a row that fail, not for what they are, mean that all would."""

_POLL = 1.0  # seconds
_MOST_STARTS = 3


class Run:
    """Does tasks, and adds a record for each to the journal."""

    def __init__(
        self,
        machine: Machine,
        slots: Slots,
        folder: Path,
        settings: str,
        journal: Journal,
        done: Callable[[Record], None],
        known: Mapping[str, Record],
    ) -> None:
        """`done` is called with each record. `known`: the last records."""
        self._machine, self._slots, self._folder, self._settings = machine, slots, folder, settings
        self._journal, self._done, self._known = journal, done, known
        self._events: Events = SimpleQueue()
        self._workers: dict[Slot, Worker] = {}
        self._waiting: deque[Task] = deque()
        self._alone: deque[Task] = deque()  # failed, or were in flight when a worker died
        self._run_alone: set[int] = set()
        self._failures: Counter[int] = Counter()
        self._in_a_row = 0
        self._starts: Counter[Slot] = Counter()  # in a row that failed

    def do(self, tasks: Sequence[Task]) -> None:
        """Do `tasks`, whatever happens to one.

        Raises BatchError if all seem to fail, what loading the networks raises, and OutputError.
        """
        try:
            self._do(tasks)
        except BaseException:
            for worker in self._workers.values():
                worker.kill()
            raise
        finally:
            for worker in self._workers.values():
                worker.stop()
            for worker in self._workers.values():
                worker.wait()
                self._clear(worker)

    def _clear(self, worker: Worker) -> None:
        """Remove what a worker that ended left unfinished."""
        for task in worker.tasks.values():
            for name in task.outputs.names:
                clear_abandoned((self._folder / name).parent)

    def _do(self, tasks: Sequence[Task]) -> None:
        self._waiting.extend(tasks)
        while self._left:
            self._start_workers()
            self._fill()
            for worker in self._workers.values():
                worker.check(self._machine.seconds)
            try:
                worker, message = self._events.get(timeout=_POLL)
            except Empty:
                continue
            if worker not in self._workers.values():
                continue
            worker.heard = time.monotonic()
            if message is None:
                self._ended(worker)
            elif "refused" in message:
                self._slots.refuse(self._remove(worker), _as_error(Failure(**message["refused"])))
            elif "ready" in message:
                worker.ready = True
            else:
                self._finished(worker.tasks.pop(message.pop("done")), message)

    @property
    def _left(self) -> int:
        in_flight = sum(len(worker.tasks) for worker in self._workers.values())
        return len(self._waiting) + len(self._alone) + in_flight

    def _start_workers(self) -> None:
        left = self._left
        for slot in self._slots.now():
            if slot not in self._workers and len(self._workers) < left:
                self._workers[slot] = slot.start(self._events)

    def _fill(self) -> None:
        takers = [
            worker
            for worker in self._workers.values()
            if worker.ready and self._run_alone.isdisjoint(worker.tasks)
        ]
        if self._alone:
            for worker in takers:
                if self._alone and not worker.tasks:
                    task = self._alone.popleft()
                    self._run_alone.add(task.number)
                    worker.give(task)
            return
        # Towards the end no worker has tasks waiting while another has none.
        share = math.ceil(self._left / len(self._workers)) if takers else 0
        while self._waiting and takers:
            takers = [each for each in takers if len(each.tasks) < min(share, each.most_in_flight)]
            for worker in sorted(takers, key=lambda each: len(each.tasks))[: len(self._waiting)]:
                worker.give(self._waiting.popleft())

    def _ended(self, worker: Worker) -> None:
        """A worker died, or was lost."""
        failure = worker.failure(self._machine.seconds)  # waits for its end, and so for its locks
        slot = self._remove(worker)
        tasks = list(worker.tasks.values())
        if len(tasks) == 1:
            self._failed(tasks[0], failure)
        else:  # it is not known which one is to blame
            self._alone.extend(tasks)
        self._starts[slot] = 0 if worker.ready else self._starts[slot] + 1
        if self._starts[slot] >= _MOST_STARTS:
            error = DeviceError(
                f"The networks cannot be loaded: the process died {_MOST_STARTS} times. {failure.sentence} "
                "Run `efficientscn-trt info`."
            )
            self._slots.refuse(slot, error)

    def _remove(self, worker: Worker) -> Slot:
        worker.kill()  # it may be alive, but out of reach
        self._clear(worker)
        slot = next(slot for slot, each in self._workers.items() if each is worker)
        del self._workers[slot]
        return slot

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


def _as_error(failure: Failure) -> EfficientSCNError:
    kind = getattr(errors, failure.kind, EfficientSCNError)
    error: EfficientSCNError = kind(failure.sentence)
    return error
