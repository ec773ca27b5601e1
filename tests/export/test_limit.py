"""How far a step may change the outputs: more where a network magnifies the rounding of float32."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from efficientscn_trt.errors import ExportError
from efficientscn_trt.export import compare, network

IMAGE = np.full((1, 1, 8, 8, 8), 0.5, np.float32)


def of_steepness(slope: float) -> ir.Model:
    """Probabilities σ(slope · (image − 0.5))."""
    image = ir.val("image", ir.DataType.FLOAT, IMAGE.shape)
    constants = [
        ir.val(name, const_value=ir.tensor(np.float32(value), name=name))
        for name, value in (("middle", 0.5), ("slope", slope))
    ]
    moved = ir.node("Sub", [image, constants[0]])
    product = ir.node("Mul", [*moved.outputs, constants[1]])
    found = ir.node("Sigmoid", product.outputs)
    (output,) = found.outputs
    output.name, output.dtype, output.shape = "probabilities", ir.DataType.FLOAT, image.shape
    nodes = [moved, product, found]
    graph = ir.Graph(
        [image], [output], nodes=nodes, initializers=constants, opset_imports={"": 17}, name="steep"
    )
    return ir.Model(graph, ir_version=8)


def check(slope: float, change: float) -> None:
    """Check a step that changes the probabilities, all 0.5, by `change`."""
    model = of_steepness(slope)
    before = {"probabilities": compare.run(model, IMAGE)["probabilities"] - np.float32(change)}
    network._checked([], "step", 1, model, None, before, IMAGE, 0.0)


def test_an_ordinary_network_changes_by_its_rounding() -> None:
    check(1.0, 4e-5)
    with pytest.raises(ExportError, match=r"by 2\.0e-04 of its largest value, expected at most 1e-04;"):
        check(1.0, 1e-4)


def test_a_steep_network_may_change_by_more_but_not_by_any() -> None:
    # Changing the image, 0.5, by the share 2^-22 moves a logit by 2^-8 and a probability by 2^-10, which is
    # 0.002 of 0.5. The limit is four times that.
    check(2.0**15, 1e-3)
    with pytest.raises(ExportError, match=r"by 1\.0e-02 of its largest value, expected at most 8e-03;"):
        check(2.0**15, 5e-3)
