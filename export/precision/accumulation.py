"""What a float16 network computes on a GPU that also adds in float16.

TensorRT times kernels with float16 sums and kernels with float32 sums, and takes the fastest. On GeForce GPUs
that is a kernel with float16 sums (github.com/NVIDIA/TensorRT, issue 2942). A tensor core adds the products
of 16 channels exactly, and rounds the sum that it adds them to. A kernel may go over the voxels of its window
in any order; here the order is z, y, x, then channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from ..passes.graph_pass import constant, goes_voxel_by_voxel, initializer

CHANNELS = 16
"""Channels whose products are added at once: the k of an `mma.m16n8k16`."""


def summing_in_float16(model: ir.Model) -> ir.Model:
    """Return a copy of the float16 `model` whose convolutions are chains of sums with float16 partial sums.

    `run_rounded` rounds the partial sums. Only ungrouped convolutions of stride 1 with explicit padding are
    replaced; the networks have no others.
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
    """The nodes that replace one convolution."""

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
    """Yield starts and stops (channels, z, y, x in the padded image) and weights of each term of the sum."""
    window = weights.shape[2:]
    for tap in itertools.product(*map(range, window)):
        # Stops count from the end. Where nothing is cut off, that would be 0, so it is the largest integer.
        ends = [at - size + 1 or np.iinfo(np.int64).max for at, size in zip(tap, window, strict=True)]
        for first in range(0, weights.shape[1], CHANNELS):
            place = (slice(None), slice(first, first + CHANNELS), *(slice(at, at + 1) for at in tap))
            yield [first, *tap], [first + CHANNELS, *ends], weights[place]
