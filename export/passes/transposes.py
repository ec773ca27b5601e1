"""Transpositions between channels last and channels first, removed.

Matches: two Transposes in sequence, which become one with the composed permutation, and a Transpose with the
identity permutation, which is removed. The released graph pools channels last, and ONNX pools channels
first, so each pooling arrives between two pairs that cancel.

Right because permutations of axes compose, and the composed one moves each value to the same place.
"""

from __future__ import annotations

from onnxscript.rewriter.rules.common import no_op_transpose_rule, transpose_transpose_rule

from .graph_pass import GraphPass, apply_rules

PASS = GraphPass(
    "transposes",
    apply_rules([transpose_transpose_rule, no_op_transpose_rule]),
    frozenset({"Transpose"}),
    "channels are moved between first and last place",
)
