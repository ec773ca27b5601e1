"""The slots of a Ray cluster, as its nodes come and go."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ... import __version__
from ...errors import DeviceError, EfficientSCNError
from ...io.unfinished import unfinished_file
from ...io.wording import counted, one_line, shown
from ..machine import Machine
from ..many import most_in_flight, reader_count
from ..slots import Slot
from ..workers import Events, Worker
from .node import Agent
from .shipping import digest_of, packed
from .workers import RayWorker

LOCAL = "local"
"""The address of a cluster that is started for this batch, of this machine alone."""

_BETWEEN_LOOKS = 1.0  # seconds
_LONGEST_WITHOUT_NODE = 300.0  # seconds
_LONGEST_CONNECT = 10.0  # seconds
_THREADS = 4  # of an agent: one waits for messages


class RaySlots:
    """One slot for each GPU of a node, or for each group of its cores."""

    def __init__(
        self,
        machine: Machine,
        folder: Path,
        keep_scans: bool,
        *,
        address: str,
        inputs: Sequence[Path],
        say: Callable[[str], None],
    ) -> None:
        """Join the cluster at `address`: `LOCAL`, "auto" for the one of this machine, or host:port.

        `machine`: for each node; it has one device for each worker of a GPU or, without GPUs, of a node.
        `folder` and `inputs` must be at the same place on all nodes. `say` is called with what the user
        should know. Raises DeviceError, BundleError, OSError.
        """
        self._machine, self._folder, self._keep_scans, self._say = machine, folder.absolute(), keep_scans, say
        self._nodes: dict[str, _Node] = {}
        self._refused: set[Slot] = set()
        self._looked = self._last_seen = float("-inf")
        self._digest, files = digest_of(machine.bundle), packed(machine.bundle)
        _connect(address)
        self._files = ray.put(files)
        self._closing = ExitStack()
        self._closing.callback(ray.shutdown)
        # A node that finds it has the same folder, not another one of that name.
        mark = self._closing.enter_context(unfinished_file(self._folder / "cluster"))
        self._shared = [mark, *(path.absolute() for path in inputs)]
        self._last_seen = time.monotonic()

    def now(self) -> Sequence[Slot]:
        """Those of all nodes that can take part. Raises DeviceError if there is none, and none in sight."""
        if time.monotonic() - self._looked > _BETWEEN_LOOKS:
            self._look()
            self._looked = time.monotonic()
        return [slot for node in self._nodes.values() for slot in node.slots if slot not in self._refused]

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
        if any(node.slots for node in nodes):
            self._last_seen = time.monotonic()
        elif nodes and not any(node.is_unknown for node in nodes):
            lacks = [f"{node.name}: {node.lack or self._lack_of_devices()}" for node in nodes]
            raise DeviceError(f"No node of the cluster can segment. {' '.join(lacks)}")
        elif time.monotonic() - self._last_seen > _LONGEST_WITHOUT_NODE:
            raise DeviceError(
                f"The cluster had no node that answers for {_LONGEST_WITHOUT_NODE:g} s; mend it, and run the "
                "same command again."
            )

    def _lack_of_devices(self) -> str:
        return f"It has no processors or GPUs for --device {self._machine.devices[0]}."

    def _examined(self, identity: str, state: dict[str, Any]) -> _Node:
        look = ray.remote(_examination()).options(num_cpus=0, scheduling_strategy=_on(identity))
        arguments = (__version__, self._shared, self._machine.bundle.absolute(), self._digest, [self._files])
        return _Node(identity, state, look.remote(*arguments))

    def _slots_of(self, node: _Node, bundle: Path) -> list[Slot]:
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
            "scheduling_strategy": _on(node.identity),
        }
        in_flight = most_in_flight(reader_count(max(1, cores)))
        arguments = (machine, self._folder, self._keep_scans)
        return [_RaySlot(node.name, options, (*arguments, number), in_flight) for number in range(count)]


class _Node:
    """A node. `slots`: those for workers; `lack`: why it has none. Neither is known before the answer."""

    def __init__(self, identity: str, state: dict[str, Any], examination: Any) -> None:
        self.identity, self.name = identity, str(state["NodeManagerHostname"])
        self.cpus, self.gpus = (int(state["Resources"].get(kind, 0)) for kind in ("CPU", "GPU"))
        self.slots: list[Slot] = []
        self.lack = ""
        self.is_unknown = True
        self._examination = examination

    def answer(self) -> tuple[Path | None, str] | None:
        """What `prepare` says of the node; None as long as it works."""
        if not ray.wait([self._examination], timeout=0)[0]:
            return None
        self.is_unknown = False
        try:
            found: tuple[Path | None, str] = ray.get(self._examination)
            return found
        except RayError as error:
            return None, one_line(str(error))


class _RaySlot:
    def __init__(self, node: str, options: dict[str, Any], arguments: Sequence[Any], in_flight: int) -> None:
        self.node = node
        self._options, self._arguments, self._in_flight = options, arguments, in_flight

    def start(self, events: Events) -> Worker:
        agent = ray.remote(Agent).options(**self._options).remote(*self._arguments)
        return RayWorker(agent, self.node, self._in_flight, events)


def _examination() -> Callable[..., Any]:
    """The function that looks at a node. Ray sends it as code, because the node may lack this package."""

    def examine(version: str, shared: Any, bundle: Any, digest: str, files: Any) -> Any:
        try:
            import efficientscn_trt
            from efficientscn_trt.batch.cluster.node import prepare
        except ImportError as error:
            return None, f"It lacks efficientscn-trt {version} ({error}); install it there."
        if efficientscn_trt.__version__ != version:
            return None, f"It has efficientscn-trt {efficientscn_trt.__version__}, expected {version}."
        return prepare(shared, bundle, digest, lambda: ray.get(files[0]))

    return examine


def _on(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _connect(address: str) -> None:
    """Raises DeviceError."""
    _check_reachable(address)
    options: dict[str, Any] = {}
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of ours reports to nobody
        options = {"include_dashboard": False}
    with _own_signal_handlers():
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
        except (ConnectionError, RayError, ValueError, RuntimeError) as error:
            raise DeviceError(
                f"There is no Ray cluster at {address} ({one_line(str(error))}); start one with `ray start`, "
                f"or give {LOCAL}."
            ) from error


def _check_reachable(address: str) -> None:
    """Ray would try for minutes. Raises DeviceError."""
    if address in (LOCAL, "auto"):
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise DeviceError(
            f"{shown(address)} is no address of a Ray cluster, expected {LOCAL}, auto or host:port."
        )
    try:
        socket.create_connection((host, int(port)), timeout=_LONGEST_CONNECT).close()
    except (OSError, OverflowError) as error:
        raise DeviceError(
            f"There is no Ray cluster at {address} ({error}); give what `ray start --head` printed."
        ) from error


@contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Ray replaces them."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
