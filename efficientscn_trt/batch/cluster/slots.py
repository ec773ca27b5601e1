"""The slots of a Ray cluster, as its nodes come and go."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from ...errors import DeviceError, EfficientSCNError
from ...io.unfinished import unfinished_file
from ...io.wording import counted
from ..machine import Machine
from ..many import most_in_flight, reader_count
from ..slots import Slot
from ..workers import Events, Worker
from .agent import Agent
from .connection import connect
from .nodes import Node, on_node
from .shipping import digest_of, packed
from .workers import RayWorker

_BETWEEN_LOOKS = 1.0  # seconds
_LONGEST_WITHOUT_NODE = 300.0  # seconds
_THREADS = 4  # of an agent: one waits for messages


class RaySlots:
    """One slot for each GPU of a node, or for each group of its cores."""

    def __init__(
        self,
        machine: Machine,
        folder: Path,
        *,
        address: str,
        inputs: Sequence[Path],
        say: Callable[[str], None],
    ) -> None:
        """Join the cluster at `address` (`connect`).

        `machine`: for each node; it has one device for each worker of a GPU or, without GPUs, of a node.
        `folder` and `inputs` must be at the same place on all nodes. `say` is called with what the user
        should know. Raises DeviceError, BundleError, OSError.
        """
        self._machine, self._folder, self._say = machine, folder.absolute(), say
        self._nodes: dict[str, Node] = {}
        self._refused: set[Slot] = set()
        self._looked, self._had_slots = float("-inf"), False
        self._digest, files = digest_of(machine.bundle), packed(machine.bundle, machine.trusted)
        connect(address)
        self._files = ray.put(files)
        self._closing = ExitStack()
        self._closing.callback(ray.shutdown)
        # A node that finds it has the same folder, not another one of that name.
        self._mark = self._closing.enter_context(unfinished_file(self._folder / "cluster"))
        self._inputs = [path.absolute() for path in inputs]
        self._last_seen = time.monotonic()

    def now(self) -> Sequence[Slot]:
        """Those of all nodes that can take part. Raises DeviceError if there is none, and none in sight."""
        if time.monotonic() - self._looked > _BETWEEN_LOOKS:
            self._look()
            self._looked = time.monotonic()
        return self._usable()

    def refuse(self, slot: Slot, error: EfficientSCNError) -> None:
        """Do without `slot`. Raises `error` if there is no other."""
        self._refused.add(slot)
        if not self.now() and not any(node.is_unknown for node in self._nodes.values()):
            raise error
        assert isinstance(slot, _RaySlot)
        self._say(f"A worker of the node {slot.node} is left out: {error}")

    def close(self) -> None:
        """Leave the cluster, and end it if it was started for this batch."""
        self._closing.close()

    def _look(self) -> None:
        alive = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        for identity in self._nodes.keys() - alive.keys():
            self._say(f"The node {self._nodes.pop(identity).name} was lost.")
        for identity in alive.keys() - self._nodes.keys():
            self._nodes[identity] = self._examined(identity, alive[identity])
        for node in self._nodes.values():
            if node.is_unknown and (answer := node.answer()):
                bundle, lack = answer
                if bundle:
                    node.slots = self._slots_of(node, bundle)
                    if node.slots:
                        self._say(
                            f"The node {node.name} takes part with {counted(len(node.slots), 'worker')}."
                        )
                else:
                    node.lack = lack
                    self._say(f"The node {node.name} is left out. {lack}")
        self._check_hope()

    def _check_hope(self) -> None:
        """Raises DeviceError if no node can take part, and no time is left to wait for one."""
        nodes = list(self._nodes.values())
        if self._usable():
            self._last_seen, self._had_slots = time.monotonic(), True
        elif nodes and not self._had_slots and not any(node.is_unknown for node in nodes):
            lacks = [f"{node.name}: {node.lack}" for node in nodes if node.lack]
            lacks = lacks or [f"None has processors or GPUs for --device {self._machine.devices[0]}."]
            raise DeviceError(f"No node of the cluster can segment. {' '.join(lacks)}")
        elif time.monotonic() - self._last_seen > _LONGEST_WITHOUT_NODE:
            raise DeviceError(
                f"The cluster had no node that answers for {_LONGEST_WITHOUT_NODE:g} s; mend it, and run the "
                "same command again."
            )

    def _usable(self) -> list[Slot]:
        return [slot for node in self._nodes.values() for slot in node.slots if slot not in self._refused]

    def _examined(self, identity: str, state: dict[str, Any]) -> Node:
        bundle = self._machine.bundle.absolute()
        arguments = (self._mark, self._inputs, bundle, self._digest, self._machine.trusted)
        return Node(identity, state, arguments, self._files)

    def _slots_of(self, node: Node, bundle: Path) -> list[Slot]:
        device, workers = self._machine.devices[0], len(self._machine.devices)
        gpus = 0 if device == "cpu" else node.gpus
        count = gpus * workers or (min(workers, node.cpus) if device in ("cpu", "auto") else 0)
        if not count:
            return []
        cores = node.cpus // count
        machine = replace(
            self._machine,
            bundle=bundle,
            # Ray shows each worker its own GPU alone.
            devices=(device.partition(":")[0],) * count,
            threads=self._machine.threads or cores,
        )
        options = {
            "num_cpus": cores,
            "num_gpus": 1 / workers if gpus else 0,
            "max_concurrency": _THREADS,
            "scheduling_strategy": on_node(node.identity),
        }
        in_flight = most_in_flight(reader_count(max(1, cores)))
        arguments = (machine, self._folder)
        return [_RaySlot(node.name, options, (*arguments, number), in_flight) for number in range(count)]


class _RaySlot:
    def __init__(self, node: str, options: dict[str, Any], arguments: Sequence[Any], in_flight: int) -> None:
        self.node = node
        self._options, self._arguments, self._in_flight = options, arguments, in_flight

    def start(self, events: Events) -> Worker:
        agent = ray.remote(Agent).options(**self._options).remote(*self._arguments)
        return RayWorker(agent, self.node, self._in_flight, events)
