"""Give a network whose training left out the background a channel for it.

The networks of an SCN predict each label by itself, so the predictions of all labels, before they are divided
by their sum, are near 0 where there is none. The background gets what they leave of 1.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from efficientscn_trt.errors import ExportError

from .compare import Outputs, run
from .passes.graph_pass import constant, initializer, tidy

_TINY = 1e-30


def add_background(model: ir.Model, image: np.ndarray) -> Outputs:
    """Give the probabilities of `model` [1, labels, z, y, x] the background as their first channel.

    Returns what the new model should compute for `image` float32 [1, 1, z, y, x]. Raises ExportError if the
    model does not end with predictions that are divided by their sum.
    """
    graph = model.graph
    (output,) = graph.outputs
    division = output.producer()
    predictions, axes, offset, number = _parts(division)
    assert division is not None
    expected = _expected(model, predictions, number, image)

    one = initializer(graph, "one", np.array(1, np.float32))
    total = ir.node("ReduceSum", [predictions, axes], {"keepdims": 1})
    at_least_one = ir.node("Max", [total.outputs[0], one])
    background = ir.node("Sub", [at_least_one.outputs[0], total.outputs[0]])
    divisor = ir.node("Add", [at_least_one.outputs[0], offset])
    shares = [ir.node("Div", [value, divisor.outputs[0]]) for value in (background.outputs[0], predictions)]
    joined = ir.node("Concat", [share.outputs[0] for share in shares], {"axis": 1})
    added = [total, at_least_one, background, divisor, *shares, joined]
    for node in added:
        node.outputs[0].type = predictions.type
    graph.insert_after(division, added)
    name, output.name, graph.outputs[0] = output.name, None, joined.outputs[0]
    graph.outputs[0].name = name
    tidy(model)
    return {str(name): expected}


def over_labels(outputs: Outputs, first: int) -> Outputs:
    """The probabilities from channel `first` on, as shares of their sum."""
    values = outputs["probabilities"][:, first:]
    return {"probabilities": values / np.maximum(values.sum(axis=1, keepdims=True), _TINY)}


def _parts(division: ir.Node | None) -> tuple[ir.Value, ir.Value, ir.Value, float]:
    """The predictions, the axes of their sum over the labels, and what is added to it, also as a number."""
    for predictions, total in _inputs(division, "Div"):
        for summed, offset in _inputs(total.producer(), "Add"):
            number = constant(offset)
            if number is not None and number.size == 1:
                for values, axes in _inputs(summed.producer(), "ReduceSum"):
                    if values is predictions and _are_labels(axes):
                        return predictions, axes, offset, float(number.numpy().item())
    raise ExportError(
        "The segmentation network does not end with predictions that are divided by their sum over the "
        "labels, expected with --no-background, because the background gets what they leave of 1; train it "
        "with a channel for the background."
    )


def _are_labels(axes: ir.Value) -> bool:
    values = constant(axes)
    return values is not None and values.numpy().ravel().tolist() in ([1], [-4])


def _inputs(node: ir.Node | None, operator: str) -> list[tuple[ir.Value, ir.Value]]:
    """The two inputs of `node` if that is its operator; in both orders for one that commutes."""
    if node is None or node.op_type != operator or len(node.inputs) != 2:
        return []
    first, second = node.inputs
    if first is None or second is None:
        return []
    return [(first, second), (second, first)] if operator == "Add" else [(first, second)]


def _expected(model: ir.Model, predictions: ir.Value, offset: float, image: np.ndarray) -> np.ndarray:
    model.graph.outputs.append(predictions)
    try:
        values = run(model, image)[str(predictions.name)]
    finally:
        model.graph.outputs.pop()
    summed = values.sum(axis=1, keepdims=True)
    background = np.maximum(1 - summed, 0)
    joined = np.concatenate([background, values], axis=1) / (summed + background + offset)
    return np.asarray(joined, np.float32)
