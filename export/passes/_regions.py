"""Parts of a graph that are linear operators: from one tensor to another, through data movement and weights.

The export recognises an upsampling by what it computes, not by how it is written: networks may slice
different shifts, and may pad, stack, split or transpose. A region is bounded by two values, its source and
its result. Every path back from the result leads to the source or to constants, and each node on the way is
linear in its data. Running the region shows what it computes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
import onnxruntime

from .graph_pass import constant

ONE_DATA_INPUT = frozenset(
    {"Identity", "Neg", "Pad", "ReduceSum", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"}
)
"""Operators that are linear in the first input; the other inputs say where and how."""

ALL_DATA_INPUTS = frozenset({"Add", "Concat", "Sub", "Sum"})
"""Operators that are linear if every input is data."""

SCALED = frozenset({"Mul", "Div"})
"""Operators that are linear if the other factor, or the divisor, is constant."""

SHAPE_ARITHMETIC = frozenset(
    {"Add", "Cast", "Concat", "Div", "Gather", "Mul", "Shape", "Slice", "Squeeze", "Sub", "Unsqueeze"}
)
"""Operators that compute the sizes for a Reshape or Slice from a Shape and constants."""

LARGEST_OFFSET = 8
"""Largest slice bound or padding in a region, in voxels; see `reach`."""


@dataclass(frozen=True)
class Region:
    """A linear operator in a graph."""

    source: ir.Value
    result: ir.Value

    @property
    def channels(self) -> int | None:
        """Size of axis 1 of the source; None if the graph does not state it."""
        shape = self.source.shape
        return shape[1] if shape is not None and len(shape) == 5 and isinstance(shape[1], int) else None


class RegionRunner:
    """Runs a region on inputs of any size."""

    def __init__(self, region: Region) -> None:
        graph = region.result.graph
        assert graph is not None
        part = ir.convenience.extract(graph, [region.source], [region.result])
        part.name = "region"
        for value in (part.inputs[0], *(output for node in part for output in node.outputs)):
            value.shape = None  # known for the size of the whole graph only
        channels = region.channels
        assert channels is not None
        part.inputs[0].shape = ir.Shape([1, channels, "z", "y", "x"])
        proto = ir.to_proto(ir.Model(part, ir_version=8))
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
        self._input = part.inputs[0].name

    def __call__(self, data: np.ndarray) -> np.ndarray | None:
        """The region's result for `data` float32 [1, c, z, y, x]; None where it cannot run at this size."""
        try:
            (result,) = self._session.run(None, {self._input: data})
        except Exception:  # ONNX Runtime raises classes of its own
            return None
        return result


def linear_regions(result: ir.Value, order: dict[ir.Node, int]) -> Iterator[Region]:
    """All regions that end in `result`, from the nearest source to the farthest.

    `order` gives the topological position of each node. A value is a source if all paths back from the result
    meet in it. The walk goes back in reverse topological order, so nothing else is left to visit at a source.
    """
    frontier: list[tuple[int, int, ir.Value]] = []
    seen: set[ir.Value] = set()

    def push(value: ir.Value) -> None:
        if value not in seen:
            seen.add(value)
            producer = value.producer()
            position = -1 if producer is None else order[producer]
            heapq.heappush(frontier, (-position, len(seen), value))

    push(result)
    expanded: set[ir.Node] = set()
    while frontier:
        _, _, value = heapq.heappop(frontier)
        if not frontier and value is not result:
            yield Region(value, result)
        node = value.producer()
        if node is None:
            return
        if node in expanded:
            continue
        data = _linear_inputs(node)
        if data is None:
            return
        expanded.add(node)
        for each in data:
            push(each)


def reach(region: Region) -> int | None:
    """The largest offset from an edge in the region; None if one exceeds LARGEST_OFFSET or is not constant.

    If all slices and paddings stay near an edge, two sizes that keep the edges apart differ only in how often
    the interior repeats. So an operator that is right for sizes below and above the reach is right for all.
    """
    largest = 0
    for node in region_nodes(region):
        if node.op_type not in ("Slice", "Pad"):
            continue
        bounds = node.inputs[1:3] if node.op_type == "Slice" else node.inputs[1:2]
        for bound in bounds:
            tensor = constant(bound)
            if tensor is None:
                return None
            values = np.abs(tensor.numpy().astype(np.float64))
            near = values[values < 2**31 - 1]  # "to the end"
            if near.size and near.max() > LARGEST_OFFSET:
                return None
            largest = max(largest, int(near.max()) if near.size else 0)
    return largest


def region_nodes(region: Region) -> list[ir.Node]:
    """The nodes between source and result."""
    nodes: list[ir.Node] = []
    seen: set[ir.Value] = {region.source}
    stack = [region.result]
    while stack:
        value = stack.pop()
        node = value.producer()
        if value in seen or node is None:
            continue
        seen.add(value)
        if node not in nodes:
            nodes.append(node)
        stack.extend(each for each in node.inputs if each is not None)
    return nodes


def _linear_inputs(node: ir.Node) -> list[ir.Value] | None:
    """The values that the node's result is linear in, or None if it is not linear."""
    if node.domain not in ("", "ai.onnx"):
        return None
    inputs = [value for value in node.inputs if value is not None]
    constants = [constant(value) is not None for value in inputs]
    if node.op_type in ONE_DATA_INPUT:
        if (node.op_type == "Pad" and not _pads_linearly(node)) or _strides(node):
            return None
        data = [inputs[0]]
        for value in inputs[1:]:
            shapes = _shape_sources(value)
            if shapes is None:
                return None
            data += shapes
        return data
    if node.op_type in ALL_DATA_INPUTS:
        return None if any(constants) else inputs
    if node.op_type in SCALED and sum(constants) == 1 and (node.op_type == "Mul" or constants[1]):
        return [inputs[constants.index(False)]]
    return None


def _strides(node: ir.Node) -> bool:
    """Whether a Slice may skip voxels, so that even and odd sizes would differ."""
    if node.op_type != "Slice" or len(node.inputs) < 5 or node.inputs[4] is None:
        return False
    steps = constant(node.inputs[4])
    return steps is None or bool((steps.numpy() != 1).any())


def _pads_linearly(node: ir.Node) -> bool:
    if node.attributes.get_string("mode", "constant") != "constant":
        return True
    fill = constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] is not None else None
    return len(node.inputs) < 3 or node.inputs[2] is None or (fill is not None and not fill.numpy().any())


def _shape_sources(value: ir.Value) -> list[ir.Value] | None:
    """The values from whose Shape the integer `value` is computed; None if it is computed otherwise."""
    if constant(value) is not None:
        return []
    node = value.producer()
    if node is None or node.op_type not in SHAPE_ARITHMETIC:
        return None
    if node.op_type == "Shape":
        return [node.inputs[0]] if node.inputs[0] is not None else None
    sources: list[ir.Value] = []
    for each in node.inputs:
        found = _shape_sources(each) if each is not None else []
        if found is None:
            return None
        sources += found
    return sources
