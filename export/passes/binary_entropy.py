"""The entropy of σ(x) from its cross-entropy with itself → softplus(−|x|) + |x|·σ(−|x|).

Matches: TensorFlow's sigmoid_cross_entropy_with_logits of labels σ(x) and logits x, after the pass
`softplus`: Where(x ≥ 0, x, 0) − x·σ(x) + Softplus(Where(x ≥ 0, −x, x)), all on the same x.

Right because max(x, 0) − x·σ(x) = |x|·σ(−|x|): for x ≥ 0 it is x·(1 − σ(x)) = x·σ(−x), for x < 0 it is
−x·σ(x). Where |x| is large, nearly all digits of the difference cancel (in float16 all of them). In the
product none cancel, and both terms are positive. Softplus gets no positive argument, so it cannot overflow.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from onnxscript.rewriter import RewriteRule

from .graph_pass import GraphPass, apply_rules, constant


def _pattern(op: Any, x: Any, zero: Any) -> Any:
    positive = op.GreaterOrEqual(x, zero)
    hinge = op.Where(positive, x, zero)
    falling = op.Where(positive, op.Neg(x), x)
    return (hinge - x * op.Sigmoid(x, _outputs=["probability"])) + op.Softplus(falling)


def _is_zero(context: Any, x: ir.Value, zero: ir.Value, probability: ir.Value) -> bool:
    value = constant(zero)
    if value is not None:
        return not value.numpy().any()
    producer = zero.producer()
    if producer is None or producer.op_type != "ConstantOfShape":
        return False
    fill = producer.attributes.get_tensor("value")
    return fill is None or not fill.numpy().any()


def _entropy(op: Any, x: ir.Value, zero: ir.Value, probability: ir.Value) -> Any:
    falling = op.Neg(op.Abs(x))
    return op.Sub(op.Softplus(falling), op.Mul(falling, op.Sigmoid(falling)))


PASS = GraphPass(
    "binary entropy",
    # The probability and the conditions may have other uses.
    apply_rules([RewriteRule(_pattern, _entropy, _is_zero, remove_nodes=False)]),
    frozenset({"Where"}),
    "the entropy is computed from the cross-entropy, which cancels digits",
)
