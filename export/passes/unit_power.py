"""Pow with exponent 1, removed.

Matches: Pow with a constant exponent of one element, exactly 1, and of no higher rank than the base.
The released graph raises the entropy to a power that training may set; in the submitted weights it is 1.

Right because x¹ = x for every float, including the infinities and NaN.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from onnxscript.rewriter import RewriteRule

from .graph_pass import GraphPass, apply_rules, constant


def _pattern(op: Any, base: Any, exponent: Any) -> Any:
    return op.Pow(base, exponent)


def _is_one(context: Any, base: ir.Value, exponent: ir.Value) -> bool:
    power = constant(exponent)
    if power is None or power.size != 1 or power.numpy().item() != 1:
        return False
    return len(power.shape) == 0 or (base.shape is not None and len(power.shape) <= len(base.shape))


def _base(op: Any, base: ir.Value, exponent: ir.Value) -> Any:
    return op.Identity(base)


PASS = GraphPass(
    "unit power",
    apply_rules([RewriteRule(_pattern, _base, _is_one)]),
    frozenset({"Pow"}),
    "a power is computed",
)
