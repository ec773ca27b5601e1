"""float32 graph → float16 graph, with the types written into it (strongly typed)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import onnx
import onnx_ir as ir
import onnx_ir.passes.common as common

from .islands import find_islands

HALF, SINGLE = ir.DataType.FLOAT16, ir.DataType.FLOAT


@dataclass(frozen=True)
class Float16Report:
    """How many nodes compute in float16, and how many of each operator stay in float32."""

    float16_nodes: int
    float32_operators: dict[str, int]


def to_float16(model: ir.Model) -> Float16Report:
    """Rewrite `model` in place to float16 inputs, outputs, weights and arithmetic, except in float32 islands.

    An input that an operator's definition fixes to float32 (the scales of a Resize) stays float32. Casts are
    only at the borders of islands.
    """
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    common.ShapeInferencePass()(model)
    islands = find_islands(model)
    conversion = _Conversion(model)
    for value in model.graph.inputs:
        if value.dtype == SINGLE:
            value.type = ir.TensorType(HALF)
    half_nodes = 0
    for node in list(model.graph):
        wanted = SINGLE if node in islands else HALF
        conversion.convert(node, wanted)
        half_nodes += any(output.dtype == HALF for output in node.outputs)
    conversion.convert_outputs()
    common.RemoveUnusedNodesPass()(model)
    common.CheckerPass(full_check=True)(model)
    return Float16Report(half_nodes, dict(Counter(node.op_type for node in model.graph if node in islands)))


class _Conversion:
    """One model's casts and float16 initializers, each made once."""

    def __init__(self, model: ir.Model) -> None:
        self._graph = model.graph
        self._opset = model.opset_imports[""]
        self._made: dict[tuple[ir.Value, ir.DataType], ir.Value] = {}

    def convert(self, node: ir.Node, wanted: ir.DataType) -> None:
        """Convert the floating-point inputs of `node` to `wanted`, and set the type of its outputs."""
        schema = onnx.defs.get_schema(node.op_type, self._opset, "")
        for index, value in enumerate(node.inputs):
            if value is not None and value.dtype in (HALF, SINGLE):
                formal = schema.inputs[min(index, len(schema.inputs) - 1)]
                dtype = wanted if _may_be_half(schema, formal) else SINGLE
                node.replace_input_with(index, self._as(value, dtype))
        if node.op_type == "Cast" and node.attributes["to"].as_int() == SINGLE:
            node.attributes["to"] = ir.AttrInt64("to", wanted)
        if node.op_type == "ConstantOfShape" and "value" in node.attributes:
            tensor = node.attributes["value"].as_tensor()
            if tensor.dtype == SINGLE:
                node.attributes["value"] = ir.AttrTensor("value", _converted(tensor, wanted))
        for index, output in enumerate(node.outputs):
            if output.dtype == SINGLE:
                formal = schema.outputs[min(index, len(schema.outputs) - 1)]
                output.type = ir.TensorType(wanted if _may_be_half(schema, formal) else SINGLE)

    def convert_outputs(self) -> None:
        """Make the graph's floating-point outputs float16; they keep their names."""
        for index, value in enumerate(self._graph.outputs):
            if value.dtype == SINGLE:
                name, value.name = value.name, f"{value.name}_float32"
                half = self._as(value, HALF)
                half.name = name
                self._graph.outputs[index] = half

    def _as(self, value: ir.Value, dtype: ir.DataType) -> ir.Value:
        if value.dtype == dtype:
            return value
        if (value, dtype) not in self._made:
            made = self._initializer(value) if value.is_initializer() else self._cast(value, dtype)
            self._made[value, dtype] = made
        return self._made[value, dtype]

    def _initializer(self, value: ir.Value) -> ir.Value:
        assert value.const_value is not None
        half = ir.val(f"{value.name}_float16", const_value=_converted(value.const_value, HALF))
        self._graph.register_initializer(half)
        return half

    def _cast(self, value: ir.Value, dtype: ir.DataType) -> ir.Value:
        suffix = "float32" if dtype == SINGLE else "float16"
        node = ir.node("Cast", [value], {"to": dtype}, name=f"{value.name}_to_{suffix}")
        result = node.outputs[0]
        result.name, result.type, result.shape = f"{value.name}_{suffix}", ir.TensorType(dtype), value.shape
        producer = value.producer()
        if producer is None:
            self._graph.insert_before(self._graph[0], node)
        else:
            self._graph.insert_after(producer, node)
        return result


def _may_be_half(schema: onnx.defs.OpSchema, formal: onnx.defs.OpSchema.FormalParameter) -> bool:
    """Whether the operator's definition lets this input or output be float16."""
    allowed = {each.type_param_str: each.allowed_type_strs for each in schema.type_constraints}
    return "tensor(float16)" in allowed.get(formal.type_str, (formal.type_str,))


def _converted(tensor: ir.TensorProtocol, dtype: ir.DataType) -> ir.Tensor:
    array = tensor.numpy().astype(np.float16 if dtype == HALF else np.float32)
    return ir.Tensor(array, name=tensor.name)
