"""A sum that drops an axis, and an Unsqueeze that restores it → one sum that keeps the axis.

Matches: Unsqueeze of a ReduceSum without kept dimensions, both over the same constant axes.

Right because ReduceSum with kept dimensions leaves size 1 at just these axes.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from onnxscript.rewriter import RewriteRule

from .graph_pass import GraphPass, apply_rules, constant


def _pattern(op: Any, x: Any, summed: Any, restored: Any) -> Any:
    return op.Unsqueeze(op.ReduceSum(x, summed, keepdims=0, _allow_other_attributes=True), restored)


def _same_axes(context: Any, x: ir.Value, summed: ir.Value, restored: ir.Value) -> bool:
    axes, back = constant(summed), constant(restored)
    if axes is None or back is None or axes.size == 0 or x.shape is None:
        return False
    rank = len(x.shape)
    return sorted(axes.numpy() % rank) == sorted(back.numpy() % rank)


def _kept(op: Any, x: ir.Value, summed: ir.Value, restored: ir.Value) -> Any:
    return op.ReduceSum(x, summed, keepdims=1)


PASS = GraphPass("kept dimensions", apply_rules([RewriteRule(_pattern, _kept, _same_axes)]))
