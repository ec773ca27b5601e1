"""Nodes that depend on constants alone, computed during the export.

Matches: any node whose inputs are all constant, casts to the type that a tensor has already, and Shape where
the shape is known. tf2onnx leaves such nodes after the weights (reshaped biases) and before each Reshape.

Right because ONNX's reference evaluator computes the same operators, once instead of at each run.
"""

from __future__ import annotations

import onnx_ir as ir
import onnx_ir.passes.common as common
from onnxscript import optimizer

from .graph_pass import GraphPass, tidy

NO_LIMIT = 1 << 40
"""In bytes, more than any tensor has: the weights are small, and each must become a constant."""


def apply(model: ir.Model) -> int:
    """Fold constants and infer shapes; returns the number of nodes that this removed."""
    before = model.graph.num_nodes()
    common.ShapeInferencePass()(model)
    optimizer.fold_constants_ir(model, input_size_limit=NO_LIMIT, output_size_limit=NO_LIMIT)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    tidy(model)
    return before - model.graph.num_nodes()


PASS = GraphPass("constants", apply, frozenset({"Shape"}), "sizes are computed at each run")
