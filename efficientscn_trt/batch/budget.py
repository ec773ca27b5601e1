"""The memory that several scans share: a scan waits until there is room for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from ..io.unread import Unread
from ..pipeline.memory_limit import MemoryLimit, ScanMemory
from ..pipeline.need import MemoryNeed

_POLL = 0.5  # seconds


class StoppedError(Exception):
    """Nobody waits for the scan any more."""


@dataclass(eq=False)
class Share:
    """What one scan takes, in bytes, from before it is read until its labels are given away.

    `rest`: always. `reading`: more, while it is read. `running`: more, while the networks run.
    """

    rest: int
    reading: int
    running: int

    @classmethod
    def of(cls, scan: Unread, need: MemoryNeed) -> Share:
        """The share of a scan with `need`."""
        rest = scan.kept + max(scan.held, scan.voxels)  # its voxels, and then its labels
        most = max(need.localization, need.segmentation, need.labels)
        return cls(rest, max(0, need.reading - rest), max(0, most - rest))


class MemoryBudget:
    """Admits scans in the order in which they ask. One that is alone is always admitted.

    Any number of scans may be read at once, but the networks run for one scan at a time.
    """

    def __init__(self, limit: MemoryLimit) -> None:
        assert limit.most is not None
        self._limit, self._room = limit, limit.most - limit.loaded
        self._changed = threading.Condition()
        self._waiting: deque[Share] = deque()
        self._admitted: list[Share] = []
        self._stopped = False

    def enter(self, share: Share) -> None:
        """Wait until there is room for `share`. Raises StoppedError."""
        with self._changed:
            self._waiting.append(share)
            try:
                while self._waiting[0] is not share or not self._fits(share):
                    self.check()
                    self._changed.wait(_POLL)
                self._admitted.append(share)
            finally:
                self._waiting.remove(share)
                self._changed.notify_all()

    def was_read(self, share: Share) -> None:
        """The scan of `share` was read."""
        with self._changed:
            share.reading = 0
            self._changed.notify_all()

    def leave(self, share: Share) -> None:
        """The scan of `share` takes no memory any more."""
        with self._changed:
            self._admitted.remove(share)
            self._changed.notify_all()

    def check(self) -> None:
        """Raise StoppedError if nobody waits for results any more."""
        if self._stopped or not threading.main_thread().is_alive():
            raise StoppedError

    def stop(self) -> None:
        """End all waits."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _fits(self, share: Share) -> bool:
        shares = [*self._admitted, share]
        running = max(self._limit.kept, *(each.running for each in shares))
        total = running + sum(each.rest + each.reading for each in shares)
        return len(shares) == 1 or total <= self._room


class SharedMemory(ScanMemory):
    """The memory of one scan of several."""

    def __init__(self, limit: MemoryLimit, budget: MemoryBudget) -> None:
        super().__init__(limit)
        self.waited = 0.0  # seconds
        self._budget = budget
        self._share: Share | None = None

    def admit(self, scan: Unread) -> None:
        """Refuse what is too large even alone; wait for the rest. Raises StoppedError too."""
        super().admit(scan)
        share = Share.of(scan, self.largest_need())
        begin = time.perf_counter()
        self._budget.enter(share)
        self.waited = time.perf_counter() - begin
        self._share = share

    def was_read(self) -> None:
        """The scan was read."""
        if self._share:
            self._budget.was_read(self._share)

    def release(self) -> None:
        """The scan takes no memory any more."""
        if self._share:
            self._budget.leave(self._share)
            self._share = None
