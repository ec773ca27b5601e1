"""×2 linear upsampling, recognised by what it computes."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

pytest.importorskip("onnxscript")

from support.onnx_graphs import GraphBuilder, apply, operators, volume
from support.shift_upsampling import (
    LINEAR,
    AxisBy,
    Shift,
    Taps,
    concatenated,
    padded,
    upsample,
    upsample_axis,
    upsample_axis_by_sums,
)

from efficientscn_trt.export.compare import run
from efficientscn_trt.export.passes import constants, duplicates
from efficientscn_trt.export.passes.linear_upsampling import PASS

TOLERANCE = 1e-6


def reference(image: np.ndarray) -> np.ndarray:
    """Linear, half-pixel, edge repeated: gathered voxel by voxel."""
    for axis in (2, 3, 4):
        size = image.shape[axis]
        position = (np.arange(2 * size) + 0.5) / 2 - 0.5
        low = np.floor(position).astype(int)
        shape = [1] * 5
        shape[axis] = -1
        share = (position - low).reshape(shape)
        below, above = (np.take(image, np.clip(low + i, 0, size - 1), axis) for i in (0, 1))
        image = below * (1 - share) + above * share
    return image


@pytest.mark.parametrize("shift", [concatenated, padded])
@pytest.mark.parametrize("axis_by", [upsample_axis, upsample_axis_by_sums])
@pytest.mark.parametrize("axes", [(2, 3, 4), (4, 2, 3)])
def test_every_writing_becomes_one_resize(shift: Shift, axis_by: AxisBy, axes: tuple[int, ...]) -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, LINEAR, axes, shift, axis_by))
    assert apply(PASS, model, volume(3, 5, 4), TOLERANCE) == 1
    assert operators(model) == {"Resize": 1}
    image = volume(7, 2, 9, seed=1)
    (result,) = run(model, image).values()
    np.testing.assert_allclose(result, reference(image), atol=1e-6)


def test_channels_last_between_transpositions() -> None:
    builder = GraphBuilder()
    last = builder.add("Transpose", builder.image, perm=[0, 2, 3, 4, 1])
    up = upsample(builder, last, LINEAR, axes=(1, 2, 3))
    model = builder.model(builder.add("Transpose", up, perm=[0, 4, 1, 2, 3]))
    assert apply(PASS, model, volume(3, 4, 5), TOLERANCE) == 1
    assert operators(model) == {"Resize": 1}


def test_after_constants_and_duplicates() -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, LINEAR))
    constants.PASS(model)
    duplicates.PASS(model)
    assert apply(PASS, model, volume(4, 4, 4), TOLERANCE) == 1


def test_two_in_a_row_are_two() -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, upsample(builder, builder.image, LINEAR), LINEAR))
    constants.PASS(model)  # infers the channels in between
    assert apply(PASS, model, volume(2, 3, 4), TOLERANCE) == 2
    assert operators(model) == {"Resize": 2}


def test_between_other_operators() -> None:
    """A skip connection and an activation end the region on either side; the rest stays."""
    builder = GraphBuilder()
    active = builder.add("LeakyRelu", builder.image, alpha=0.1)
    pooled = builder.add("AveragePool", active, kernel_shape=[2, 2, 2], strides=[2, 2, 2])
    up = upsample(builder, pooled, LINEAR)
    model = builder.model(builder.add("Concat", active, up, axis=1))
    constants.PASS(model)
    assert apply(PASS, model, volume(4, 6, 8), TOLERANCE) == 1
    assert operators(model) == {"LeakyRelu": 1, "AveragePool": 1, "Resize": 1, "Concat": 1}


def test_what_else_uses_an_inner_value_keeps_it() -> None:
    builder = GraphBuilder()
    once = upsample_axis(builder, builder.image, 2, LINEAR)
    model = builder.model(upsample(builder, once, LINEAR, axes=(3, 4)), once)
    assert apply(PASS, model, volume(3, 4, 5), TOLERANCE) == 1
    assert operators(model)["Resize"] == 1


OTHER_WEIGHTS = ({0: 0.7, -1: 0.3}, {1: 0.3, 0: 0.7})
EXCHANGED = (LINEAR[1], LINEAR[0])
NEAREST = ({0: 1.0}, {0: 1.0})
TRIPLE = ({0: 2 / 3, -1: 1 / 3}, {0: 1.0}, {1: 1 / 3, 0: 2 / 3})


@pytest.mark.parametrize("taps", [OTHER_WEIGHTS, EXCHANGED, NEAREST, TRIPLE])
def test_other_weights_stay(taps: Taps) -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, taps))
    before = operators(model)
    assert apply(PASS, model, volume(3, 4, 5)) == 0
    assert operators(model) == before


@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_another_edge_stays(mode: str) -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, LINEAR, shift=partial(padded, mode=mode)))
    assert apply(PASS, model, volume(3, 4, 5)) == 0


def test_two_axes_of_three_stay() -> None:
    builder = GraphBuilder()
    model = builder.model(upsample(builder, builder.image, LINEAR, axes=(2, 4)))
    assert apply(PASS, model, volume(3, 4, 5)) == 0


def test_a_weight_for_each_channel_stays() -> None:
    builder = GraphBuilder()
    scaled = builder.add(
        "Mul", upsample(builder, builder.image, LINEAR), builder.constant([[[[1]]], [[[2]]]])
    )
    model = builder.model(builder.add("Reshape", scaled, builder.integers(0, 0, -1)))
    assert apply(PASS, model, volume(3, 4, 5), TOLERANCE) == 1  # the upsampling, not what scales it
    assert operators(model) == {"Resize": 1, "Mul": 1, "Reshape": 1}


def test_something_nonlinear_in_the_middle_stays() -> None:
    builder = GraphBuilder()
    once = builder.add("Abs", upsample(builder, builder.image, LINEAR, axes=(2, 3)))
    model = builder.model(upsample_axis(builder, once, 4, LINEAR))
    assert apply(PASS, model, volume(3, 4, 5)) == 0


def test_a_far_away_difference_is_seen() -> None:
    """The right operator at small sizes only: a slice that takes effect at voxel 100."""
    builder = GraphBuilder()
    first = builder.add(
        "Slice", builder.image, builder.integers(0), builder.integers(100), builder.integers(2)
    )
    model = builder.model(upsample(builder, first, LINEAR))
    constants.PASS(model)
    assert apply(PASS, model, volume(3, 4, 5), TOLERANCE) == 1
    assert operators(model) == {"Slice": 1, "Resize": 1}  # the slice is not taken in
