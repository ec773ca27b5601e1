"""Convolutions that keep their size by `auto_pad` → the same convolutions with explicit padding.

Matches: Conv with `auto_pad` SAME_UPPER or SAME_LOWER, strides and dilations 1, and a kernel of known size.

Right because `auto_pad` asks for the padding that makes input and output equal in size, and at stride 1 that
is k − 1 voxels in all for a window of k. (With strides it depends on the size, which is free here.) With
explicit padding, a runtime need not compute it for each shape, and knows it when it chooses its kernels.
"""

from __future__ import annotations

import onnx_ir as ir

from .graph_pass import GraphPass, goes_voxel_by_voxel

_KEEPING = ("SAME_UPPER", "SAME_LOWER")


def apply(model: ir.Model) -> int:
    """Write the padding of each such convolution out; returns how many there were."""
    return sum(_write_out(node) for node in model.graph if node.op_type == "Conv")


def _write_out(node: ir.Node) -> bool:
    mode = node.attributes.get_string("auto_pad", "NOTSET")
    kernel = node.inputs[1]
    if mode not in _KEEPING or not goes_voxel_by_voxel(node):
        return False
    if kernel is None or kernel.shape is None or not kernel.shape.is_static():
        return False
    window = kernel.shape.numpy()[2:]
    less, more = [(size - 1) // 2 for size in window], [size // 2 for size in window]
    del node.attributes["auto_pad"]
    node.attributes["pads"] = ir.AttrInt64s("pads", less + more if mode == "SAME_UPPER" else more + less)
    return True


PASS = GraphPass("explicit padding", apply)
