"""Convolutions of an ONNX network, and their weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir


def convolutions(model: ir.Model) -> list[ir.Node]:
    """The convolutions in the order of the graph."""
    return [node for node in model.graph if node.op_type == "Conv"]


def weights_of(node: ir.Node) -> np.ndarray:
    """A copy of the weights of a convolution, [output, input, z, y, x]."""
    weights = node.inputs[1]
    assert weights is not None and weights.const_value is not None
    return weights.const_value.numpy().copy()


def change_weights(node: ir.Node, edit: Callable[[np.ndarray], object]) -> None:
    """Let `edit` change the weights of a convolution in place."""
    values, weights = weights_of(node), node.inputs[1]
    assert weights is not None
    edit(values)
    weights.const_value = ir.Tensor(values, name=weights.name)


def scale(values: np.ndarray) -> None:
    """An edit that makes float16 weights 5 % larger."""
    values *= np.float16(1.05)


def swap_labels(values: np.ndarray) -> None:
    """An edit that exchanges the second and the third output."""
    values[[1, 2]] = values[[2, 1]]
