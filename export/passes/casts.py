"""Casts that change nothing, removed.

Matches: a Cast to the type that its input has. The conversion to float32 leaves such casts where it made both
sides of a cast equal.

Right because such a Cast is the identity. A pair of casts through a narrower type is not, and stays.
"""

from __future__ import annotations

from onnxscript.rewriter.rules.common import no_op_cast_rule

from .graph_pass import GraphPass, apply_rules

PASS = GraphPass("casts", apply_rules([no_op_cast_rule]), frozenset({"Cast"}), "numbers change their type")
