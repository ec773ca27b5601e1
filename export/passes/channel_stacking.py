"""Channels taken apart and stacked again: straight from Split to Concat.

Matches two patterns. An Unsqueeze after a Squeeze of the same single axis is removed. A Concat whose only use
is another Concat along the same axis is replaced by its inputs. The released graph unstacks the local
predictions (Split, Squeeze) and stacks them again for each label (Unsqueeze, Concat, Concat).

Right because neither Squeeze nor Unsqueeze of a size-1 axis moves a value, and concatenation is associative.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from onnxscript.rewriter import RewriteRule

from .graph_pass import GraphPass, apply_rules, constant


def _pattern(op: Any, x: Any, removed: Any, restored: Any) -> Any:
    return op.Unsqueeze(op.Squeeze(x, removed), restored)


def _same_axis(context: Any, x: ir.Value, removed: ir.Value, restored: ir.Value) -> bool:
    axis, back = constant(removed), constant(restored)
    if axis is None or back is None or axis.size != 1 or back.size != 1 or x.shape is None:
        return False
    rank = len(x.shape)
    return bool(axis.numpy().item() % rank == back.numpy().item() % rank)


def _unchanged(op: Any, x: ir.Value, removed: ir.Value, restored: ir.Value) -> Any:
    return op.Identity(x)


# The Squeeze may have other uses; it is removed later if it has none.
_squeezes = apply_rules([RewriteRule(_pattern, _unchanged, _same_axis, remove_nodes=False)])


def _flatten_concats(model: ir.Model) -> int:
    flattened = 0
    for node in model.graph:
        if node.op_type != "Concat":
            continue
        inputs: list[ir.Value | None] = []
        for value in node.inputs:
            inner = value.producer() if value is not None else None
            if inner is not None and _continues(inner, node):
                inputs.extend(inner.inputs)
            else:
                inputs.append(value)
        if len(inputs) != len(node.inputs):
            joined = ir.node("Concat", inputs, node.attributes)
            joined.outputs[0].type, joined.outputs[0].shape = node.outputs[0].type, node.outputs[0].shape
            model.graph.insert_after(node, joined)
            ir.convenience.replace_all_uses_with(
                node.outputs[0], joined.outputs[0], replace_graph_outputs=True
            )
            model.graph.remove(node, safe=True)
            flattened += 1
    return flattened


def _continues(inner: ir.Node, outer: ir.Node) -> bool:
    output = inner.outputs[0]
    return (
        inner.op_type == "Concat"
        and inner.attributes.get_int("axis") == outer.attributes.get_int("axis")
        and len(output.uses()) == 1
        and not output.is_graph_output()
    )


def apply(model: ir.Model) -> int:
    """Apply both patterns; returns the number of places changed."""
    return _squeezes(model) + _flatten_concats(model)


PASS = GraphPass(
    "channel stacking",
    apply,
    frozenset({"Squeeze", "Unsqueeze"}),
    "channels are taken apart and stacked again",
)
