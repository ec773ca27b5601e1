"""Where the workers of a batch run: one in each slot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ..errors import EfficientSCNError
from .machine import Machine
from .worker import Setup
from .workers import Events, LocalWorker, Worker


class Slot(Protocol):
    """A place for one worker."""

    def start(self, events: Events) -> Worker:
        """Start a worker, whose messages arrive in `events`."""


class Slots(Protocol):
    """All slots of a batch."""

    def now(self) -> Sequence[Slot]:
        """Those that are there now. One that was there before is the same object.

        Raises DeviceError if there will be none.
        """

    def refuse(self, slot: Slot, error: EfficientSCNError) -> None:
        """Do without `slot`, because its workers end with `error`. Raises it if there is no other."""

    def close(self) -> None:
        """Let go of what was taken."""


class LocalSlots:
    """One slot for each device of this machine."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        """The arguments are those of `Machine.setups`."""
        self._slots = [_LocalSlot(setup) for setup in machine.setups(folder)]

    def now(self) -> Sequence[Slot]:
        """All."""
        return self._slots

    def refuse(self, slot: Slot, error: EfficientSCNError) -> None:
        """Raises `error`: the user named each device."""
        raise error

    def close(self) -> None:
        """Nothing was taken."""


class _LocalSlot:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def start(self, events: Events) -> Worker:
        return LocalWorker(self._setup, events)
