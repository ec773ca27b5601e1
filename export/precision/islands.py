"""Which nodes of a network stay in float32 when the rest becomes float16.

The SCN ends in p = l·h + s·(1 − h), with the binary entropy h of s, and in a division by the sum over the
labels (docs/reference-pipeline.md, "The networks"). Two places need float32: h is a difference of nearly
equal numbers where s is near 0 or 1, and the 1e-5 beside the sum lies below float16's normal numbers. A GPU
computes all of it voxel by voxel in registers, so float32 costs nothing there as long as inputs and outputs
are float16 (measured: the same activation memory, and a quarter less deviation on the mean).
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

SENSITIVE = frozenset({"Div", "Exp", "Log", "LogSoftmax", "Pow", "Reciprocal", "Softmax", "Softplus", "Sqrt"})
"""Operators that lose what matters in float16; an island grows from each."""

VOXELWISE = SENSITIVE | {
    "Abs",
    "Add",
    "Clip",
    "Max",
    "Min",
    "Mul",
    "Neg",
    "ReduceMax",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Sigmoid",
    "Sub",
    "Where",
}
"""What an island may grow over: arithmetic on each voxel by itself, and sums over labels."""


def find_islands(model: ir.Model) -> set[ir.Node]:
    """The nodes to keep in float32: whatever voxelwise arithmetic hangs together with a sensitive operator.

    Also a node with a constant too large for float16.
    """
    islands = {node for node in model.graph if _overflows(node)}
    frontier = [node for node in model.graph if node.op_type in SENSITIVE]
    while frontier:
        node = frontier.pop()
        if node in islands:
            continue
        islands.add(node)
        frontier += [near for near in (*node.predecessors(), *node.successors()) if near.op_type in VOXELWISE]
    return islands


def _overflows(node: ir.Node) -> bool:
    for value in node.inputs:
        tensor = value.const_value if value is not None else None
        if tensor is not None and tensor.dtype == ir.DataType.FLOAT:
            largest = np.abs(tensor.numpy()).max(initial=0)
            if np.isfinite(largest) and largest > np.finfo(np.float16).max:
                return True
    return False
