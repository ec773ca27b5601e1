"""A bias added after a convolution, moved into it.

Matches: Add of a constant with one value per channel, [c, 1, 1, 1] or [1, c, 1, 1, 1], to the result of a
Conv without a bias, if that result has no other use.

Right because Conv's bias is added to all voxels of a channel, as the Add does; only the order in which a
float32 sum is rounded may change.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from onnxscript.rewriter import RewriteRule

from .graph_pass import GraphPass, apply_rules, constant, initializer


def _pattern(op: Any, x: Any, weight: Any, bias: Any) -> Any:
    convolved = op.Conv(x, weight, _allow_other_attributes=True, _outputs=["convolved"])
    return convolved + bias


def _is_bias(context: Any, x: ir.Value, weight: ir.Value, bias: ir.Value, convolved: ir.Value) -> bool:
    kernel, values = constant(weight), constant(bias)
    if kernel is None or values is None:
        return False
    channels, *spatial = kernel.shape[0], *kernel.shape[2:]
    per_channel = (channels, *(1 for _ in spatial))
    return tuple(values.shape) in (per_channel, (1, *per_channel))


def _with_bias(op: Any, x: ir.Value, weight: ir.Value, bias: ir.Value, convolved: ir.Value) -> Any:
    values = constant(bias)
    node = convolved.producer()
    assert values is not None and node is not None and node.graph is not None
    # Equal biases, as in an untrained network, are one constant, and stay one constant here.
    moved = initializer(node.graph, f"{bias.name}_per_channel", values.numpy().reshape(-1))
    return op.Conv(x, weight, moved, **node.attributes)


PASS = GraphPass("convolution bias", apply_rules([RewriteRule(_pattern, _with_bias, _is_bias)]))
