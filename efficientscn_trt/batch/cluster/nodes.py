"""The nodes of a cluster, as the batch sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ... import __version__
from ...io.wording import one_line
from ..slots import Slot


class Node:
    """A node. `slots`: those for workers; `lack`: why it has none. Neither is known before the answer."""

    def __init__(self, identity: str, state: dict[str, Any], arguments: Sequence[Any], files: Any) -> None:
        """`identity` and `state`: Ray's. `arguments`: those of `prepare` but `fetch`, which gets `files`."""
        self.identity, self.name = identity, str(state["NodeManagerHostname"])
        self.cpus, self.gpus = (int(state["Resources"].get(kind, 0)) for kind in ("CPU", "GPU"))
        self.slots: list[Slot] = []
        self.lack = ""
        self.is_unknown = bool(self.cpus or self.gpus)
        if self.is_unknown:
            look = ray.remote(_examination()).options(num_cpus=0, scheduling_strategy=on_node(identity))
            self._examination = look.remote(__version__, arguments, [files])

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


def _examination() -> Callable[..., Any]:
    """The function that looks at a node. Ray sends it as code, because the node may lack this package."""

    def examine(version: str, arguments: Any, files: Any) -> Any:
        try:
            import efficientscn_trt
            from efficientscn_trt.batch.cluster.agent import prepare
        except ImportError as error:
            return None, f"It lacks efficientscn-trt {version} ({error}); install it there."
        if efficientscn_trt.__version__ != version:
            return None, f"It has efficientscn-trt {efficientscn_trt.__version__}, expected {version}."
        mark, inputs, bundle, digest, trusted = arguments
        return prepare(mark, inputs, bundle, digest, trusted, lambda: ray.get(files[0]))

    return examine


def on_node(node: str) -> NodeAffinitySchedulingStrategy:
    """Ray's wish for a place on this node alone."""
    return NodeAffinitySchedulingStrategy(node, soft=False)
