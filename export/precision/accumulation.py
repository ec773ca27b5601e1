"""What a float16 network computes where a GPU adds up in float16 too.

TensorRT times kernels whose sums are float16 beside those whose sums are float32, and takes the faster, which
on GeForce GPUs is the former (github.com/NVIDIA/TensorRT, issue 2942). A tensor core adds the products of 16
channels exactly, and rounds what it adds them to. In which order a kernel goes over the voxels of its window
is its own affair; here, over z, y, x and the channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from ..passes.graph_pass import constant, goes_voxel_by_voxel, initializer

CHANNELS = 16
"""That are added up at once: the k of an `mma.m16n8k16`."""


def summing_in_float16(model: ir.Model) -> ir.Model:
    """A copy of the float16 `model` whose convolutions are chains of sums, each result of which is float16.

    It is for `run_rounded`, which rounds them. Convolutions of stride 1 without groups and with explicit
    padding are replaced; the networks have no others.
    """
    copy = model.clone()
    for number, node in enumerate([node for node in copy.graph if node.op_type == "Conv"]):
        weights = constant(node.inputs[1])
        if weights is not None and _is_plain(node):
            _Chain(copy.graph, node, f"sum_{number}").replace(weights.numpy())
    return copy


def _is_plain(node: ir.Node) -> bool:
    ungrouped = node.attributes.get_int("group", 1) == 1
    explicit = node.attributes.get_string("auto_pad", "NOTSET") == "NOTSET"
    return ungrouped and explicit and goes_voxel_by_voxel(node)


class _Chain:
    """The nodes that take the place of one convolution."""

    def __init__(self, graph: ir.Graph, node: ir.Node, name: str) -> None:
        self._graph, self._node, self._name = graph, node, name
        self._nodes: list[ir.Node] = []

    def replace(self, weights: np.ndarray) -> None:
        image, _, *bias = self._node.inputs
        total: ir.Value | None = None
        around = self._node.attributes.get_ints("pads", [0] * 6)
        if any(around):
            image = self._add("Pad", image, self._values("pads", [0, 0, *around[:3], 0, 0, *around[3:]]))
        axes = self._values("axes", [1, 2, 3, 4])
        for number, (starts, stops, part) in enumerate(_parts(weights)):
            cut = [self._values(f"starts_{number}", starts), self._values(f"stops_{number}", stops)]
            piece = self._add("Slice", image, *cut, axes)
            product = self._add("Conv", piece, initializer(self._graph, f"{self._name}_{number}", part))
            total = product if total is None else self._add("Add", total, product)
        assert total is not None
        if bias:
            per_channel = self._add("Unsqueeze", bias[0], self._values("bias_axes", [0, 2, 3, 4]))
            total = self._add("Add", total, per_channel)
        ir.convenience.replace_nodes_and_values(
            self._graph, self._node, [self._node], self._nodes, self._node.outputs, [total]
        )

    def _add(self, operator: str, *inputs: ir.Value | None) -> ir.Value:
        node = ir.node(operator, inputs)
        node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT16)
        self._nodes.append(node)
        return node.outputs[0]

    def _values(self, what: str, values: list[int]) -> ir.Value:
        return initializer(self._graph, f"{self._name}_{what}", np.array(values, np.int64))


def _parts(weights: np.ndarray) -> Iterator[tuple[list[int], list[int], np.ndarray]]:
    """For each step of the sum: where to cut the padded image along channels, z, y and x, and the weights."""
    window = weights.shape[2:]
    for tap in itertools.product(*map(range, window)):
        # Counted from the end, which is no number of its own where nothing is cut off.
        ends = [at - size + 1 or np.iinfo(np.int64).max for at, size in zip(tap, window, strict=True)]
        for first in range(0, weights.shape[1], CHANNELS):
            place = (slice(None), slice(first, first + CHANNELS), *(slice(at, at + 1) for at in tap))
            yield [first, *tap], [first + CHANNELS, *ends], weights[place]
