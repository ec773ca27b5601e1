"""1 − (1 − x) → x.

Matches: two Subs from constants of one element, exactly 1, and of no higher rank than x.
The released graph computes the entropy as 1 − (1 − x)ᵖ with a power p that training may set; in the submitted
weights p is 1, and `unit_power` has removed it.

Right because both are x. The result is more exact, because 1 − x drops the low bits of a small x.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from onnxscript.rewriter import RewriteRule

from .graph_pass import GraphPass, apply_rules, constant


def _pattern(op: Any, x: Any, first: Any, second: Any) -> Any:
    return op.Sub(first, op.Sub(second, x))


def _are_one(context: Any, x: ir.Value, first: ir.Value, second: ir.Value) -> bool:
    ones = [constant(value) for value in (first, second)]
    if any(one is None or one.size != 1 or one.numpy().item() != 1 for one in ones):
        return False
    rank = max(len(one.shape) for one in ones if one is not None)
    return rank == 0 or (x.shape is not None and rank <= len(x.shape))


def _itself(op: Any, x: ir.Value, first: ir.Value, second: ir.Value) -> Any:
    return op.Identity(x)


# The complement may have other uses.
PASS = GraphPass(
    "double complement", apply_rules([RewriteRule(_pattern, _itself, _are_one, remove_nodes=False)])
)
