"""TensorFlow graph to ONNX: two steps before the graph passes.

1. `as_float32`: the graph in float32 throughout. The released graph holds float32 variables and casts each to
   float16. Without those casts the weights keep all their bits, so a bundle's float32 networks are the model
   *before* its rounding. Each backend rounds to its own precision.
2. `to_onnx`: tf2onnx, with handlers for Log1p, which it lacks, and for Select, where it can turn an
   infinity into NaN.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from efficientscn_trt.errors import ExportError

from .passes.cubic_upsampling import taps
from .savedmodel import FrozenGraph
from .tensorflow_import import import_tensorflow

OPSET = 17
"""The newest opset that TensorRT 8.5 reads."""

IR_VERSION = 8
"""The IR version of opset 17; TensorRT 8.5 and older ONNX Runtimes refuse newer versions."""

IMAGE_SHAPE = (1, 1, "z", "y", "x")

EXACT_CONSTANTS = (np.log(2.0), 1.0 / np.log(2.0), 1e-5, *map(float, np.unique(taps(8))))
"""Constants of the networks' equations, and weights of a cubic upsampling by 8, that float16 does not have;
`as_float32` restores them."""


def as_float32(frozen: FrozenGraph) -> FrozenGraph:
    """`frozen` with float32 wherever it has float16: types, constants and casts.

    A scalar that is one of `EXACT_CONSTANTS` rounded to float16 is replaced by the exact value, because ln 2
    loses 2e-4 of its value in float16, more than all other rounding here together.
    """
    tf = import_tensorflow()
    half, single = tf.float16.as_datatype_enum, tf.float32.as_datatype_enum
    graph_def = type(frozen.graph_def)()
    graph_def.CopyFrom(frozen.graph_def)
    for node in graph_def.node:
        for attribute in node.attr.values():
            kind = attribute.WhichOneof("value")
            if kind == "type" and attribute.type == half:
                attribute.type = single
            elif kind == "list":
                attribute.list.type[:] = [single if t == half else t for t in attribute.list.type]
            elif kind == "tensor" and attribute.tensor.dtype == half:
                values = _exact(tf.make_ndarray(attribute.tensor))
                attribute.tensor.CopyFrom(tf.make_tensor_proto(values, dtype=tf.float32))
        node.attr.pop("_output_shapes", None)
    return FrozenGraph(graph_def, frozen.input, dict(frozen.outputs))


def _exact(values: np.ndarray) -> np.ndarray:
    if values.size == 1:
        for constant in EXACT_CONSTANTS:
            if values.item() == np.float16(constant):
                return np.full(values.shape, constant, np.float32)
    return values.astype(np.float32)


def with_logits(frozen: FrozenGraph) -> FrozenGraph:
    """`frozen` with a further output "logits", the tensor that a mask is computed from.

    A mask shows only which voxels changed; the logits show by how much. They are found by walking back from a
    comparison to the one tensor whose channels it compares. Without such a comparison nothing is added.
    """
    nodes = {node.name: node for node in frozen.graph_def.node}

    def source(name: str, through: tuple[str, ...]) -> str:
        while (node := nodes[name.split(":")[0]]).op in through:
            name = node.input[0]
        return name

    decision = nodes[source(frozen.outputs["output"], ("Identity", "Squeeze", "ExpandDims")).split(":")[0]]
    if decision.op not in ("Less", "Greater", "LessEqual", "GreaterEqual"):
        return frozen
    sides = {source(name, ("StridedSlice", "Slice", "Identity", "Cast", "Split")) for name in decision.input}
    if len(sides) != 1:
        return frozen
    logits = sides.pop()
    return FrozenGraph(
        frozen.graph_def,
        frozen.input,
        {**frozen.outputs, "logits": logits if ":" in logits else f"{logits}:0"},
    )


def to_onnx(frozen: FrozenGraph, outputs: dict[str, str]) -> ir.Model:
    """The ONNX model of `frozen`: input `image`, outputs renamed by `outputs`, batch 1, free sizes z, y, x.

    Raises ExportError for TensorFlow operators that have no ONNX form.
    """
    tf = import_tensorflow()
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # unknown operators are reported below
    inputs, results = [frozen.input], list(frozen.outputs.values())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(frozen.graph_def, name="")
        # tf2onnx's own optimizers are left out because they take minutes here; the passes take seconds.
        converted = tf2onnx.tfonnx.process_tf_graph(
            graph,
            opset=OPSET,
            input_names=inputs,
            output_names=results,
            custom_op_handlers={"Log1p": (_log1p, []), "Select": (_select, []), "SelectV2": (_select, [])},
            tensors_to_rename={
                frozen.input: "image",
                **{tensor: outputs.get(meaning, meaning) for meaning, tensor in frozen.outputs.items()},
            },
        )
    proto = converted.make_model("network")
    unknown = sorted({node.op_type for node in proto.graph.node if not _is_onnx(node)})
    if unknown:
        raise ExportError(
            f"The graph holds operators that ONNX does not have: {', '.join(unknown)}; "
            "add a handler for them in export/convert.py."
        )
    proto.ir_version = IR_VERSION
    model = ir.from_proto(proto)
    model.graph.inputs[0].shape = ir.Shape(IMAGE_SHAPE)
    return model


def _is_onnx(node: onnx.NodeProto) -> bool:
    return node.domain in ("", "ai.onnx") and onnx.defs.has(node.op_type, OPSET, "")


def _log1p(context: Any, node: Any, name: str, _: list[Any]) -> None:
    """Log1p(x) as Log(x + 1), which is inaccurate for small x; `passes.softplus` gives it a stable form."""
    one = context.make_const(f"{name}_one", np.ones((), np.float32)).output[0]
    shape, dtype = context.get_shape(node.output[0]), context.get_dtype(node.output[0])
    argument, consumer = node.input[0], node.output[0]
    context.remove_node(node.name)
    add = context.make_node("Add", [argument, one], shapes=[shape], dtypes=[dtype])
    context.make_node("Log", [add.output[0]], outputs=[consumer], name=name, shapes=[shape], dtypes=[dtype])


def _select(context: Any, node: Any, name: str, _: list[Any]) -> None:
    """Select as Where; tf2onnx multiplies by the condition cast to float, which turns an infinity into
    NaN."""
    condition = context.get_shape(node.input[0])
    if node.type == "Select" and condition is not None and len(condition) == 1:
        raise ValueError(f"{name} selects whole rows by a vector, which Where does not do.")
    shape, dtype = context.get_shape(node.output[0]), context.get_dtype(node.output[0])
    inputs, outputs = list(node.input), list(node.output)
    context.remove_node(node.name)
    context.make_node("Where", inputs, outputs=outputs, name=name, shapes=[shape], dtypes=[dtype])
