"""What runs on a node of the cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import inf
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ...bundle import TrustedKeys
from ...errors import EfficientSCNError
from ..machine import Machine
from ..worker import Task
from ..workers import Events, LocalWorker
from .shipping import Files, at_hand


def prepare(
    mark: Path,
    inputs: Sequence[Path],
    bundle: Path,
    digest: str,
    trusted: TrustedKeys,
    fetch: Callable[[], Files],
) -> tuple[Path | None, str]:
    """Get the bundle. Returns its folder on this node; or None, and why this node cannot take part.

    `mark`: a file that the caller keeps in the output folder. For the rest, see `shipping.at_hand`.
    """
    needed = {mark.parent: mark, **{path: path for path in inputs}}
    for path, proof in needed.items():
        if not proof.exists():
            return None, (
                f"It does not see {path}; put the scans and the output folder where all nodes have them "
                "under the same path."
            )
    try:
        return at_hand(bundle, digest, trusted, fetch), ""
    except EfficientSCNError as error:
        return None, str(error)


class Agent:
    """Ray's actor: one worker on this node, which dies with it, and its messages."""

    def __init__(self, machine: Machine, folder: Path, number: int) -> None:
        """`machine`: what all workers of this node share; this is the one for device `number` of it."""
        setup = machine.setups(folder)[number]
        self._events: Events = SimpleQueue()
        self._worker = LocalWorker(setup, self._events)

    def give(self, task: Task) -> None:
        """Add a task."""
        self._worker.give(task)

    def hear(self) -> list[dict[str, Any]]:
        """Wait for messages. The last one says how the worker ended."""
        messages = [self._events.get()[1]]
        while not self._events.empty():
            messages.append(self._events.get()[1])
        return [
            {"ended": asdict(self._worker.failure(inf))} if message is None else message
            for message in messages
        ]
