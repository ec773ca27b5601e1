"""Workers on nodes of the cluster, as the batch sees them."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import RayError

from ...errors import UNEXPECTED
from ...io.wording import one_line
from ..journal import Failure
from ..worker import Task
from ..workers import LONGEST_END, Events, Worker


class RayWorker(Worker):
    """A worker whose `agent`, an actor of Ray, passes tasks and messages on."""

    def __init__(self, agent: Any, node: str, most_in_flight: int, events: Events) -> None:
        """`node`: the name of its node."""
        super().__init__(most_in_flight)
        self._agent, self._node, self._events = agent, node, events
        self._failure: Failure | None = None
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def kill(self) -> None:
        """End it at once. Nothing is lost: an output is whole before its message is sent."""
        ray.kill(self._agent)

    def stop(self) -> None:
        """End it: it has no tasks."""
        self.kill()

    def wait(self) -> None:
        """Wait until Ray says that it has ended."""
        self._hearing.join(timeout=LONGEST_END)

    def _send(self, task: Task) -> None:
        # Nodes have other working directories.
        self._agent.give.remote(replace(task, entry=task.entry.absolute()))

    def _cause(self) -> Failure:
        assert self._failure  # it is there before the message that says that the worker ended
        return self._failure

    def _hear(self) -> None:
        try:
            while not self._failure:
                for message in ray.get(self._agent.hear.remote()):
                    if "ended" in message:
                        self._failure = Failure(**message["ended"])
                    else:
                        self._events.put((self, message))
        except RayError as error:
            reason = one_line(str(error).partition("\n")[0])
            self._failure = Failure(
                UNEXPECTED, "lost", f"The worker on the node {self._node} was lost: {reason}"
            )
        finally:
            self._events.put((self, None))
