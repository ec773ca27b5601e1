"""ONNX graphs for the tests of graph passes, built node by node."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx_ir as ir
from onnx import TensorProto, helper, numpy_helper

from efficientscn_trt.export.compare import run
from efficientscn_trt.export.passes import GraphPass

OPSET = 17


class GraphBuilder:
    """Adds nodes by name of operator, and returns values as names. The input is `image` [1, c, z, y, x]."""

    def __init__(self, channels: int = 2) -> None:
        self.image = "image"
        self._channels = channels
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """An initializer."""
        name = f"constant{len(self._initializers)}"
        self._initializers.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def integers(self, *values: int) -> str:
        """An int64 initializer, one-dimensional."""
        return self.constant(values, np.int64)

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output."""
        return self.add_many(op, 1, *inputs, **attributes)[0]

    def add_many(self, op: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """A node with several outputs."""
        names = [f"{op.lower()}{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return names

    def model(self, *outputs: str, dtype: int = TensorProto.FLOAT) -> ir.Model:
        """The graph with these outputs."""
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, self._channels, "z", "y", "x"])
        results = [helper.make_tensor_value_info(name, dtype, None) for name in outputs]
        graph = helper.make_graph(self._nodes, "test", [image], results, self._initializers)
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        return ir.from_proto(proto)


def operators(model: ir.Model) -> dict[str, int]:
    """How often each operator occurs."""
    return dict(Counter(node.op_type for node in model.graph))


def volume(*size: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    """Normally distributed float32 [1, channels, z, y, x]."""
    return np.random.default_rng(seed).standard_normal((1, channels, *size), np.float32)


def apply(graph_pass: GraphPass, model: ir.Model, image: np.ndarray, tolerance: float = 0.0) -> int:
    """Apply the pass, assert that all outputs keep their numbers, and return the number of changes.

    `tolerance` is a share of the largest output.
    """
    before = list(run(model, image).values())
    changed = graph_pass(model)
    for old, new in zip(before, run(model, image).values(), strict=True):
        assert old.shape == new.shape
        assert np.abs(old - new).max() <= tolerance * np.abs(old).max()
    return changed
