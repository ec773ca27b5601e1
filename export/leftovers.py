"""What no pass recognised in a graph, and what that costs."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir

from .compare import options_for, session_of
from .passes.graph_pass import WANTED, GraphPass

_MB = 1e6


@dataclass(frozen=True)
class Run:
    """One run of a graph's nodes, in their order: the seconds of each, and the bytes of its results."""

    seconds: tuple[float, ...]
    written: tuple[int, ...]


def leftovers(model: ir.Model, passes: Sequence[GraphPass], image: np.ndarray) -> tuple[str, ...]:
    """Sentences on the operators that none of `passes` recognised, at most one per cause.

    Each says what these operators take in a run of `model` on `image` float32 [1, 1, z, y, x].
    """
    nodes = [None if WANTED in node.meta else node.op_type for node in model.graph]
    operators: dict[str, frozenset[str]] = {}
    for each in passes:
        operators[each.slow] = operators.get(each.slow, frozenset()) | each.leftovers
    left = {slow: [i for i, kind in enumerate(nodes) if kind in kinds] for slow, kinds in operators.items()}
    if not any(left.values()):
        return ()
    run = profiled(model, image)
    return tuple(_sentence(slow, places, nodes, run) for slow, places in left.items() if places)


def _sentence(slow: str, places: Sequence[int], nodes: Sequence[str | None], run: Run) -> str:
    counts = Counter(str(nodes[place]) for place in places)
    operators = " and ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    share = sum(run.seconds[place] for place in places) / (sum(run.seconds) or 1)
    written = sum(run.written[place] for place in places) / _MB
    return (
        f"The graph still has {operators} among {len(nodes)} nodes, so it may be slow: {slow}. For the check "
        f"input, ONNX Runtime spends {100 * share:.0f}% of its time on these, which write {written:,.0f} MB."
    )


def profiled(model: ir.Model, image: np.ndarray) -> Run:
    """Run `model` on `image` float32 [1, 1, z, y, x] by ONNX Runtime, node by node as it is."""
    proto = ir.to_proto(model)
    for index, node in enumerate(proto.graph.node):
        node.name = str(index)
    options = options_for(optimised=False)
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as scratch:
        options.profile_file_prefix = str(Path(scratch, "run"))
        session = session_of(proto, options)
        session.run(None, {"image": image})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    seconds, written = [0.0] * len(proto.graph.node), [0] * len(proto.graph.node)
    for event in events:
        index, _, kind = event["name"].partition("_")
        if kind == "kernel_time":
            seconds[int(index)] = event["dur"] / 1e6
            written[int(index)] = int(event["args"]["output_size"])
    return Run(tuple(seconds), tuple(written))
