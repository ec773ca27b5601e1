"""Log(1 + Exp(x)) → Softplus(x).

Matches: Log of the sum of Exp and a constant 1. TensorFlow's Log1p, which ONNX lacks, arrives in this form.

Right because this is Softplus's definition. Computed as written, it loses exp(x) where that is below 6e-8,
and it overflows for large x. Every runtime's Softplus is stable.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from onnxscript.rewriter import RewriteRule

from .graph_pass import GraphPass, apply_rules, constant


def _pattern(op: Any, x: Any, one: Any) -> Any:
    return op.Log(op.Exp(x) + one)


def _is_one(context: Any, x: ir.Value, one: ir.Value) -> bool:
    value = constant(one)
    return value is not None and value.size == 1 and value.numpy().item() == 1


def _softplus(op: Any, x: ir.Value, one: ir.Value) -> Any:
    return op.Softplus(x)


PASS = GraphPass(
    "softplus",
    apply_rules([RewriteRule(_pattern, _softplus, _is_one)]),
    frozenset({"Log", "Exp"}),
    "a logarithm of an exponential is computed as written",
)
