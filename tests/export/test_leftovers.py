"""What no pass recognised is named, with what it takes in a run."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper

from efficientscn_trt.export.leftovers import leftovers, profiled
from efficientscn_trt.export.passes import GraphPass
from efficientscn_trt.export.passes.graph_pass import WANTED

IMAGE = np.zeros((1, 1, 4, 8, 16), np.float32)


@pytest.fixture
def model() -> ir.Model:
    """The image is transposed, repeated along an axis, and made half as large; then transposed back."""
    nodes = [
        helper.make_node("Transpose", ["image"], ["last"], perm=[0, 2, 3, 4, 1]),
        helper.make_node("Concat", ["last", "last"], ["both"], axis=4),
        helper.make_node("ReduceMean", ["both", "axes"], ["mean"], keepdims=1),
        helper.make_node("Transpose", ["mean"], ["first"], perm=[0, 4, 1, 2, 3]),
    ]
    image, first = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, "z", "y", "x"])
        for name in ("image", "first")
    )
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [4])
    graph = helper.make_graph(nodes, "graph", [image], [first], [axes])
    return ir.from_proto(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))


def test_a_run_is_divided_among_its_nodes(model: ir.Model) -> None:
    run = profiled(model, IMAGE)
    assert run.written == (4 * IMAGE.size, 2 * 4 * IMAGE.size, 4 * IMAGE.size, 4 * IMAGE.size)
    assert min(run.seconds) >= 0 < max(run.seconds)


def _pass(name: str, slow: str, *operators: str) -> GraphPass:
    return GraphPass(name, lambda model: 0, frozenset(operators), slow)


PASSES = (
    _pass("transposes", "the layout stays", "Transpose"),
    _pass("joins", "channels are copied", "ReduceMean", "Gather"),
    _pass("more transposes", "the layout stays", "Transpose"),
    _pass("more joins", "channels are copied", "Concat"),
    _pass("nothing", "never said", "Erf"),
    _pass("another", ""),
)


def test_the_sentences(model: ir.Model) -> None:
    large = np.zeros((1, 1, 64, 125, 125), np.float32)  # 4 MB
    layout, joins = leftovers(model, PASSES, large)
    assert layout.startswith(
        "The graph still has 2 Transpose among 4 nodes, so it may be slow: the layout stays."
    )
    assert layout.endswith("% of its time on these, which write 8 MB.")
    assert joins.startswith(
        "The graph still has 1 Concat and 1 ReduceMean among 4 nodes, so it may be slow: "
    )
    assert joins.endswith("% of its time on these, which write 12 MB.")


def test_what_a_pass_inserted_is_no_leftover(model: ir.Model) -> None:
    for node in model.graph:
        if node.op_type == "Transpose":
            node.meta[WANTED] = True
    assert leftovers(model, PASSES[::2], IMAGE) == ()
