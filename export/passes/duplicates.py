"""Subexpressions that occur several times, computed once.

Matches: nodes with the same operator, the same attributes and the same inputs, where equal constants count as
the same input. The released graph computes each weighted shift once per phase.

Right because ONNX operators are functions: equal inputs give equal outputs.
"""

from __future__ import annotations

import onnx_ir as ir
import onnx_ir.passes.common as common

from .graph_pass import GraphPass, tidy


def apply(model: ir.Model) -> int:
    """Merge equal subexpressions; returns the number of nodes that this removed."""
    before = model.graph.num_nodes()
    common.DeduplicateInitializersPass()(model)
    common.CommonSubexpressionEliminationPass()(model)
    tidy(model)
    return before - model.graph.num_nodes()


PASS = GraphPass("duplicates", apply)
