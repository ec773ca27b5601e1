"""What a float16 network computes, on a machine without float16 arithmetic.

CPU runtimes compute a float16 graph in float32 and skip roundings between operators, so its results look too
good. Here every float16 result is rounded. A GPU rounds less often, because it fuses operators. Sums in a
convolution are float32 here; `accumulation` is for GPUs that add in float16.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import onnxruntime

from ..compare import options_for, run

HALF, SINGLE = ir.DataType.FLOAT16, ir.DataType.FLOAT


def run_rounded(model: ir.Model, image: np.ndarray) -> dict[str, np.ndarray]:
    """All outputs of the float16 network `model` for `image` float32 [1, 1, z, y, x], as float32."""
    options = options_for(optimised=False)
    # The default order computes all slices of a convolution's chain before the first sum.
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    return run(with_rounding(model), image, options)


def with_rounding(model: ir.Model) -> ir.Model:
    """A float32 copy of `model` in which the float16 inputs and results of `model` are rounded to float16.

    Run it without graph optimizations, which may remove the roundings.
    """
    copy = model.clone()
    graph = copy.graph
    first = graph[0]
    for value in graph.initializers.values():
        tensor = value.const_value
        if tensor is not None and tensor.dtype == HALF:
            value.const_value = ir.Tensor(tensor.numpy().astype(np.float32), name=value.name)
            value.type = ir.TensorType(SINGLE)
    for node in list(graph):
        if node.op_type == "Cast" and node.attributes["to"].as_int() == HALF:
            node.attributes["to"] = ir.AttrInt64("to", SINGLE)
        if node.op_type == "ConstantOfShape" and "value" in node.attributes:
            tensor = node.attributes["value"].as_tensor()
            if tensor.dtype == HALF:
                node.attributes["value"] = ir.AttrTensor(
                    "value", ir.Tensor(tensor.numpy().astype(np.float32))
                )
        for value in node.outputs:
            if value.dtype == HALF:
                _round(graph, value)
    for value in graph.inputs:
        if value.dtype == HALF:
            down, up = _round(graph, value)
            graph.insert_before(first, [down, up])
    return copy


def _round(graph: ir.Graph, value: ir.Value) -> tuple[ir.Node, ir.Node]:
    """Make `value` float32, and let its uses take it rounded to float16. Returns the two Casts that round."""
    name = value.name
    down = ir.node("Cast", [value], {"to": HALF})
    up = ir.node("Cast", [down.outputs[0]], {"to": SINGLE})
    down.outputs[0].name = f"{name}_half"
    value.type, up.outputs[0].type, up.outputs[0].shape = (
        ir.TensorType(SINGLE),
        ir.TensorType(SINGLE),
        value.shape,
    )
    for user, index in list(value.uses()):
        if user is not down:
            user.replace_input_with(index, up.outputs[0])
    producer = value.producer()
    if producer is not None:
        graph.insert_after(producer, [down, up])
    for index, output in enumerate(graph.outputs):
        if output is value:
            graph.outputs[index] = up.outputs[0]
            value.name, up.outputs[0].name = f"{name}_exact", name
            return down, up
    up.outputs[0].name = f"{name}_rounded"
    return down, up
