"""Threads that read scans while the networks run for another one."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from ..pipeline.memory_limit import MemoryLimit
from ..segmenter import OpenedScan, Segmenter
from .budget import MemoryBudget, SharedMemory, StoppedError
from .request import Outcome, Request

Item = TypeVar("Item")

_POLL = 0.5  # seconds


class Flow:
    """Takes requests, and gives their outcomes in the order in which they are done.

    One thread runs the networks, `readers` others read scans. Close it at the end.
    """

    def __init__(self, segmenter: Segmenter, limit: MemoryLimit, readers: int) -> None:
        self._segmenter, self._limit = segmenter, limit
        self._budget = MemoryBudget(limit)
        self._memory: dict[int, SharedMemory] = {}
        self._given: SimpleQueue[tuple[int, Request]] = SimpleQueue()
        self._read: SimpleQueue[tuple[int, Request, OpenedScan]] = SimpleQueue()
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        works = [self._open_next] * readers + [self._label_next]
        self._threads = [threading.Thread(target=self._repeat, args=(work,)) for work in works]
        for thread in self._threads:
            thread.start()

    def give(self, index: int, request: Request) -> None:
        """Add a request."""
        self._memory[index] = SharedMemory(self._limit, self._budget)
        self._given.put((index, request))

    def take(self) -> Outcome:
        """Wait for the next outcome."""
        return self._done.get()

    def release(self, outcome: Outcome) -> None:
        """The caller is done with `outcome`, whose memory counts until then."""
        self._memory.pop(outcome.index).release()

    def close(self) -> None:
        """End the threads; what runs in the networks is waited for, and what was not begun is dropped."""
        self._budget.stop()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[], None]) -> None:
        with suppress(StoppedError):
            while True:
                work()

    def _next(self, queue: SimpleQueue[Item]) -> Item:
        while True:
            self._budget.check()
            try:
                return queue.get(timeout=_POLL)
            except Empty:
                pass

    def _open_next(self) -> None:
        index, request = self._next(self._given)
        memory = self._memory[index]
        try:
            opened = self._segmenter._open(
                request.volume,
                memory,
                spacing=request.spacing,
                series=request.series,
                orientation=request.orientation,
            )
        except StoppedError:
            raise
        except Exception as error:
            self._end(Outcome(index, request, error))
        else:
            memory.was_read()
            opened.clock.seconds["read"] -= memory.waited
            self._read.put((index, request, opened))

    def _label_next(self) -> None:
        index, request, opened = self._next(self._read)
        try:
            result = self._segmenter._label(opened)
        except Exception as error:
            self._end(Outcome(index, request, error))
        else:
            self._end(Outcome(index, request, result))

    def _end(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            traceback.clear_frames(outcome.error.__traceback__)  # they hold the scan
            self._memory[outcome.index].release()
        self._done.put(outcome)
