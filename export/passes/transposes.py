"""Transpositions between channels last and channels first, removed.

Matches: two Transposes in sequence, which become one with the composed permutation; a Transpose with the
identity permutation, which is removed; and a Softmax between two Transposes that cancel, which becomes one
along another axis. The released graph pools channels last, and ONNX pools channels first, so each pooling
arrives between two pairs that cancel. TensorFlow computes every softmax along the last axis.

Right because permutations of axes compose, and the composed one moves each value to the same place.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from onnxscript.rewriter import RewriteRule
from onnxscript.rewriter.rules.common import no_op_transpose_rule, transpose_transpose_rule

from .graph_pass import GraphPass, apply_rules


def _pattern(op: Any, x: Any) -> Any:
    there = op.Transpose(x, _outputs=["there"])
    return op.Transpose(op.Softmax(there, _outputs=["softmax"]), _outputs=["back"])


def _permutation(value: ir.Value) -> list[int]:
    node = value.producer()
    return [] if node is None else list(node.attributes.get_ints("perm", []))


def _cancel(context: Any, x: ir.Value, there: ir.Value, softmax: ir.Value, back: ir.Value) -> bool:
    first, second = _permutation(there), _permutation(back)
    return bool(first) and [first[axis] for axis in second] == list(range(len(first)))


def _along_another_axis(op: Any, x: ir.Value, there: ir.Value, softmax: ir.Value, back: ir.Value) -> Any:
    node = softmax.producer()
    assert node is not None
    return op.Softmax(x, axis=_permutation(there)[node.attributes.get_int("axis", -1)])


PASS = GraphPass(
    "transposes",
    apply_rules(
        [transpose_transpose_rule, no_op_transpose_rule, RewriteRule(_pattern, _along_another_axis, _cancel)]
    ),
    frozenset({"Transpose"}),
    "channels are moved between first and last place",
)
