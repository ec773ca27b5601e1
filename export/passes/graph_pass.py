"""The type of a graph pass, and helpers for passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
import onnx_ir.passes.common as common
from onnxscript.rewriter import RewriteRule, RewriteRuleSet

WANTED = "wanted"
"""Key in the `meta` of a node that a pass inserted, and that does not count as a leftover."""


@dataclass(frozen=True)
class GraphPass:
    """One named pattern: `apply` rewrites a model in place and returns the number of places changed.

    If operators of `leftovers` remain after all passes, the pattern did not match somewhere, and the export
    reports `slow`. The export still works; that part stays as it was converted.
    """

    name: str
    apply: Callable[[ir.Model], int]
    leftovers: frozenset[str] = frozenset()
    slow: str = ""

    def __call__(self, model: ir.Model) -> int:
        """Apply the pass to `model`, remove unused nodes, and return the number of places changed."""
        changed = self.apply(model)
        tidy(model)
        return changed


def tidy(model: ir.Model) -> None:
    """Remove identities, and nodes and initializers that nothing uses."""
    common.IdentityEliminationPass()(model)
    common.RemoveUnusedNodesPass()(model)


def apply_rules(rules: Sequence[RewriteRule]) -> Callable[[ir.Model], int]:
    """A pass's `apply` that matches `rules`, with operands of commutative operators in either order."""

    def apply(model: ir.Model) -> int:
        return RewriteRuleSet(list(rules), commute=True).apply_to_model(model)

    return apply


def initializer(graph: ir.Graph, name: str, array: np.ndarray) -> ir.Value:
    """The initializer `name` of `graph`, added with the values of `array` if there is none."""
    if name not in graph.initializers:
        graph.register_initializer(ir.val(name, const_value=ir.tensor(array, name=name)))
    return graph.initializers[name]


def goes_voxel_by_voxel(convolution: ir.Node) -> bool:
    """Whether all strides and dilations of `convolution` are 1."""
    steps = (convolution.attributes.get_ints(name, [1]) for name in ("strides", "dilations"))
    return all(set(each) == {1} for each in steps)


def constant(value: ir.Value | None) -> ir.TensorProtocol | None:
    """The tensor of a value that is an initializer or a Constant, else None."""
    return None if value is None else ir.convenience.get_const_tensor(value)
