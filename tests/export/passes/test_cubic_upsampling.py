"""×4 cubic upsampling, recognised by what it computes."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

pytest.importorskip("onnxscript")

import onnx_ir as ir
from onnx import helper
from onnx.reference import ReferenceEvaluator
from support.onnx_graphs import GraphBuilder, apply, operators, volume
from support.shift_upsampling import (
    LINEAR,
    AxisBy,
    Shift,
    Taps,
    concatenated,
    cubic_taps,
    padded,
    upsample,
    upsample_axis,
    upsample_axis_by_sums,
)

from efficientscn_trt.export.compare import run
from efficientscn_trt.export.passes import linear_upsampling
from efficientscn_trt.export.passes.cubic_upsampling import FACTORS, PASS
from efficientscn_trt.export.passes.cubic_upsampling import taps as taps_of

TOLERANCE = 2e-6
FORM = {"Pad": 1, "Conv": 3, "Transpose": 6, "Reshape": 3}
CUBIC = cubic_taps(-0.5)


def onnx_resize(image: np.ndarray, factor: int = 4) -> np.ndarray:
    """ONNX's own definition: Resize in mode cubic with A = −0.5, by its reference implementation."""
    node = helper.make_node(
        "Resize",
        ["image", "", "scales"],
        ["out"],
        mode="cubic",
        cubic_coeff_a=-0.5,
        coordinate_transformation_mode="half_pixel",
    )
    scales = np.array([1, 1, factor, factor, factor], np.float32)
    (result,) = ReferenceEvaluator(node).run(None, {"image": image.astype(np.float64), "scales": scales})
    return np.asarray(result)


@pytest.mark.parametrize("shift", [concatenated, padded])
@pytest.mark.parametrize("axis_by", [upsample_axis, upsample_axis_by_sums])
def test_every_writing_becomes_convolutions_and_shuffles(shift: Shift, axis_by: AxisBy) -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, CUBIC, shift=shift, axis_by=axis_by))
    assert apply(PASS, model, volume(3, 5, 4), TOLERANCE) == 1
    assert operators(model) == FORM


def test_the_form_is_onnx_resize() -> None:
    builder = GraphBuilder(channels=3)
    model = builder.model(upsample(builder, builder.image, CUBIC))
    assert PASS(model) == 1
    image = volume(2, 1, 3, channels=3)  # sizes that shifts cannot do
    (result,) = run(model, image).values()
    np.testing.assert_allclose(result, onnx_resize(image), atol=3e-6)


def test_taps_are_exact_in_float16() -> None:
    for factor in (2, 4):
        weights = taps_of(factor)
        assert (weights.astype(np.float16) == weights).all()
        # Each phase sums to 1: a constant stays one.
        np.testing.assert_array_equal(weights.sum(axis=1), 1)


@pytest.mark.parametrize("factor", FACTORS)
def test_other_factors(factor: int) -> None:
    """Against ONNX's Resize, which TensorRT supports in 2-D only."""
    builder = GraphBuilder(channels=2)
    model = builder.model(upsample(builder, builder.image, cubic_taps(-0.5, factor)))
    image = volume(4, 5, 3, channels=2)
    assert apply(PASS, model, image, TOLERANCE) == 1
    (result,) = run(model, image).values()
    np.testing.assert_allclose(result, onnx_resize(image, factor), atol=3e-6)


@pytest.mark.parametrize("taps", [cubic_taps(-0.75), CUBIC[::-1]])
def test_other_weights_stay(taps: Taps) -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, taps))
    assert apply(PASS, model, volume(4, 4, 4)) == 0


@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_another_edge_stays(mode: str) -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, CUBIC, shift=partial(padded, mode=mode)))
    assert apply(PASS, model, volume(4, 4, 4)) == 0


def test_the_linear_one_is_left_to_its_pass() -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, LINEAR), upsample(builder, builder.image, CUBIC))
    assert apply(PASS, model, volume(4, 4, 4), TOLERANCE) == 1
    assert apply(linear_upsampling.PASS, model, volume(4, 4, 4), TOLERANCE) == 1
    assert operators(model) == FORM | {"Resize": 1}


def test_unknown_channels_stay() -> None:
    """The kernels need a number of channels."""
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, CUBIC))
    model.graph.inputs[0].shape = ir.Shape([1, "c", "z", "y", "x"])
    assert apply(PASS, model, volume(4, 4, 4)) == 0
