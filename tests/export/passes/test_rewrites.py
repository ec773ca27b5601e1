"""The passes that are rewrite rules: each where it matches, and near misses where it must not."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnxscript")

import onnx_ir as ir
from onnx import TensorProto
from support.onnx_graphs import GraphBuilder, apply, operators, volume

from efficientscn_trt.export.compare import run
from efficientscn_trt.export.passes import (
    PASSES,
    binary_entropy,
    casts,
    channel_stacking,
    constants,
    convolution_bias,
    double_complement,
    duplicates,
    explicit_padding,
    kept_dimensions,
    softplus,
    transposes,
    unit_power,
)

FIRST = [0, 4, 1, 2, 3]  # channels from last to first place
LAST = [0, 2, 3, 4, 1]
IMAGE = volume(2, 4, 6)


def test_names_are_unique() -> None:
    assert len({each.name for each in PASSES}) == len(PASSES)


class TestConstants:
    def test_what_depends_on_constants_alone_is_computed(self) -> None:
        builder = GraphBuilder()
        bias = builder.add("Reshape", builder.constant([1, 2]), builder.integers(1, 2, 1, 1, 1))
        model = builder.model(builder.add("Identity", builder.add("Add", builder.image, bias)))
        assert apply(constants.PASS, model, IMAGE) == 2
        assert operators(model) == {"Add": 1}

    def test_a_dynamic_size_stays(self) -> None:
        builder = GraphBuilder()
        size = builder.add("Mul", builder.add("Shape", builder.image), builder.integers(1, 1, 1, 1, 1))
        model = builder.model(builder.add("Reshape", builder.image, size))
        assert apply(constants.PASS, model, IMAGE) == 0
        assert operators(model)["Shape"] == 1


class TestDuplicates:
    def test_equal_subexpressions_are_computed_once(self) -> None:
        builder = GraphBuilder()
        scaled = [builder.add("Mul", builder.image, builder.constant(0.75)) for _ in range(3)]
        model = builder.model(builder.add("Concat", *scaled, axis=1))
        assert apply(duplicates.PASS, model, IMAGE) == 2
        assert operators(model) == {"Mul": 1, "Concat": 1}

    def test_other_constants_and_attributes_stay(self) -> None:
        builder = GraphBuilder()
        scaled = [builder.add("Mul", builder.image, builder.constant(value)) for value in (0.75, 0.25)]
        active = [builder.add("LeakyRelu", builder.image, alpha=alpha) for alpha in (0.1, 0.2)]
        model = builder.model(builder.add("Concat", *scaled, *active, axis=1))
        assert apply(duplicates.PASS, model, IMAGE) == 0


class TestTransposes:
    def test_pooling_between_two_pairs(self) -> None:
        builder = GraphBuilder()
        last = builder.add("Transpose", builder.image, perm=LAST)
        first = builder.add("Transpose", last, perm=FIRST)
        pooled = builder.add("AveragePool", first, kernel_shape=[2, 2, 2], strides=[2, 2, 2])
        last = builder.add("Transpose", pooled, perm=LAST)
        model = builder.model(builder.add("Transpose", last, perm=FIRST))
        assert apply(transposes.PASS, model, IMAGE) == 2
        assert operators(model) == {"AveragePool": 1}

    def test_two_that_do_not_cancel_become_one(self) -> None:
        builder = GraphBuilder()
        once = builder.add("Transpose", builder.image, perm=[0, 1, 4, 2, 3])
        model = builder.model(builder.add("Transpose", once, perm=[0, 1, 4, 2, 3]))
        assert apply(transposes.PASS, model, IMAGE) == 1
        assert operators(model) == {"Transpose": 1}

    @pytest.mark.parametrize("axis", [-1, 4, 2])
    def test_a_softmax_between_two_that_cancel(self, axis: int) -> None:
        builder = GraphBuilder(channels=3)
        last = builder.add("Softmax", builder.add("Transpose", builder.image, perm=LAST), axis=axis)
        model = builder.model(builder.add("Transpose", last, perm=FIRST))
        assert apply(transposes.PASS, model, volume(2, 4, 6, channels=3), 1e-6) == 1
        assert operators(model) == {"Softmax": 1}

    def test_a_softmax_between_two_that_do_not_cancel_stays(self) -> None:
        builder = GraphBuilder(channels=3)
        last = builder.add("Softmax", builder.add("Transpose", builder.image, perm=LAST))
        model = builder.model(builder.add("Transpose", last, perm=LAST))
        assert apply(transposes.PASS, model, volume(2, 4, 6, channels=3)) == 0

    def test_one_alone_stays(self) -> None:
        builder = GraphBuilder()
        model = builder.model(builder.add("Transpose", builder.image, perm=LAST))
        assert apply(transposes.PASS, model, IMAGE) == 0


class TestCasts:
    def test_to_the_same_type(self) -> None:
        builder = GraphBuilder()
        model = builder.model(builder.add("Cast", builder.add("Abs", builder.image), to=TensorProto.FLOAT))
        constants.common.ShapeInferencePass()(model)
        assert apply(casts.PASS, model, IMAGE) == 1
        assert operators(model) == {"Abs": 1}

    def test_through_a_narrower_type_stays(self) -> None:
        builder = GraphBuilder()
        narrow = builder.add("Cast", builder.image, to=TensorProto.FLOAT16)
        model = builder.model(builder.add("Cast", narrow, to=TensorProto.FLOAT))
        constants.common.ShapeInferencePass()(model)
        assert apply(casts.PASS, model, IMAGE) == 0


class TestDoubleComplement:
    def complements(self, first: object, second: object, *, turned: bool = False) -> ir.Model:
        builder = GraphBuilder()
        inner = [builder.constant(second), builder.add("Abs", builder.image)]
        inside = builder.add("Sub", *(reversed(inner) if turned else inner))
        return builder.model(builder.add("Mul", builder.add("Sub", builder.constant(first), inside), inside))

    @pytest.mark.parametrize("one", [1.0, [1.0]])
    def test_the_complement_of_the_complement(self, one: object) -> None:
        model = self.complements(one, one)
        constants.common.ShapeInferencePass()(model)
        assert apply(double_complement.PASS, model, IMAGE, tolerance=1e-6) == 1  # more exact than before
        assert operators(model) == {"Abs": 1, "Sub": 1, "Mul": 1}  # the complement has another use

    def test_other_differences_stay(self) -> None:
        for model in (
            self.complements(1.0, 2.0),
            self.complements(2.0, 1.0),
            self.complements(1.0, 1.0, turned=True),
            self.complements(np.ones((1,) * 6), 1.0),
        ):
            constants.common.ShapeInferencePass()(model)
            assert apply(double_complement.PASS, model, IMAGE) == 0


class TestUnitPower:
    def power(self, exponent: object) -> ir.Model:
        builder = GraphBuilder()
        base = builder.add("Abs", builder.image)
        return builder.model(builder.add("Pow", base, builder.constant(exponent)))

    @pytest.mark.parametrize("exponent", [1.0, [1.0]])
    def test_exponent_one(self, exponent: object) -> None:
        model = self.power(exponent)
        constants.common.ShapeInferencePass()(model)
        assert apply(unit_power.PASS, model, IMAGE) == 1
        assert operators(model) == {"Abs": 1}

    @pytest.mark.parametrize("exponent", [1.0000001, 2.0, [[[[1.0]]], [[[2.0]]]]])
    def test_another_exponent_stays(self, exponent: object) -> None:
        assert apply(unit_power.PASS, self.power(exponent), IMAGE) == 0

    def test_an_exponent_that_adds_axes_stays(self) -> None:
        model = self.power([[[[[[1.0]]]]]])
        constants.common.ShapeInferencePass()(model)
        assert apply(unit_power.PASS, model, IMAGE) == 0


class TestConvolutionBias:
    def convolution(self, bias: object, own_bias: bool = False, second_use: bool = False) -> ir.Model:
        builder = GraphBuilder()
        kernel = np.random.default_rng(1).standard_normal((3, 2, 3, 3, 3))
        own = [builder.constant([1, 2, 3])] if own_bias else []
        convolved = builder.add(
            "Conv", builder.image, builder.constant(kernel), *own, kernel_shape=[3] * 3, pads=[1] * 6
        )
        total = builder.add("Add", builder.constant(bias), convolved)
        return builder.model(*([total, convolved] if second_use else [total]))

    @pytest.mark.parametrize("axes", [(1, 2, 3), (0, 2, 3, 4)])
    def test_a_value_a_channel_moves_in(self, axes: tuple[int, ...]) -> None:
        model = self.convolution(np.expand_dims([1.0, -2.0, 3.0], axes))
        assert apply(convolution_bias.PASS, model, IMAGE, 1e-6) == 1
        assert operators(model) == {"Conv": 1}
        (node,) = model.graph
        assert node.attributes.get_ints("pads") == (1,) * 6

    def test_two_convolutions_with_the_same_bias(self) -> None:
        builder = GraphBuilder()
        kernel = builder.constant(np.random.default_rng(1).standard_normal((2, 2, 3, 3, 3)))
        bias = builder.constant(np.reshape([1.0, -2.0], (1, 2, 1, 1, 1)))
        value = builder.image
        for _ in range(2):
            convolved = builder.add("Conv", value, kernel, kernel_shape=[3] * 3, pads=[1] * 6)
            value = builder.add("Add", convolved, bias)
        model = builder.model(value)
        assert apply(convolution_bias.PASS, model, IMAGE, 1e-6) == 2
        assert operators(model) == {"Conv": 2}

    @pytest.mark.parametrize("shape", [(), (6,), (3, 1, 1, 6), (2, 3, 1, 1, 1)])
    def test_another_shape_stays(self, shape: tuple[int, ...]) -> None:
        model = self.convolution(np.ones(shape))
        assert apply(convolution_bias.PASS, model, IMAGE) == 0

    def test_a_convolution_with_a_bias_stays(self) -> None:
        model = self.convolution(np.ones((3, 1, 1, 1)), own_bias=True)
        assert apply(convolution_bias.PASS, model, IMAGE) == 0

    def test_a_result_that_is_used_without_the_bias_stays(self) -> None:
        model = self.convolution(np.ones((3, 1, 1, 1)), second_use=True)
        assert apply(convolution_bias.PASS, model, IMAGE) == 0


class TestChannelStacking:
    def stacked(self, squeezed: int, restored: int, outer: int = 1) -> ir.Model:
        """Two channels taken apart, exchanged, stacked, and stacked again with the image."""
        builder = GraphBuilder()
        parts = builder.add_many("Split", 2, builder.image, axis=1)
        flat = [builder.add("Squeeze", part, builder.integers(squeezed)) for part in parts]
        back = [builder.add("Unsqueeze", part, builder.integers(restored)) for part in reversed(flat)]
        stack = builder.add("Concat", *back, axis=1)
        model = builder.model(builder.add("Concat", builder.image, stack, axis=outer))
        constants.common.ShapeInferencePass()(model)
        return model

    @pytest.mark.parametrize(("squeezed", "restored"), [(1, 1), (-4, 1)])
    def test_straight_from_split_to_concat(self, squeezed: int, restored: int) -> None:
        model = self.stacked(squeezed, restored)
        assert apply(channel_stacking.PASS, model, IMAGE) == 3
        assert operators(model) == {"Split": 1, "Concat": 1}

    def test_another_axis_stays(self) -> None:
        builder = GraphBuilder(channels=1)
        flat = builder.add("Squeeze", builder.image, builder.integers(1))
        model = builder.model(builder.add("Unsqueeze", flat, builder.integers(0)))
        constants.common.ShapeInferencePass()(model)
        builder = GraphBuilder(channels=1)
        moved = builder.add("Unsqueeze", builder.image, builder.integers(5))
        assert apply(channel_stacking.PASS, model, volume(2, 4, 6, channels=1)) == 0
        assert apply(channel_stacking.PASS, builder.model(moved), volume(2, 4, 6, channels=1)) == 0

    def test_a_stack_along_another_axis_stays(self) -> None:
        model = self.stacked(1, 1, outer=2)
        assert apply(channel_stacking.PASS, model, IMAGE) == 2  # the pairs, not the stacks
        assert operators(model) == {"Split": 1, "Concat": 2}

    def test_a_stack_with_another_use_stays(self) -> None:
        builder = GraphBuilder()
        stack = builder.add("Concat", builder.image, builder.image, axis=1)
        model = builder.model(builder.add("Concat", builder.image, stack, axis=1), stack)
        assert apply(channel_stacking.PASS, model, IMAGE) == 0


class TestKeptDimensions:
    def summed(self, axis: int, restored: int, keepdims: int = 0) -> ir.Model:
        builder = GraphBuilder()
        total = builder.add("ReduceSum", builder.image, builder.integers(axis), keepdims=keepdims)
        return builder.model(builder.add("Unsqueeze", total, builder.integers(restored)))

    @pytest.mark.parametrize(("axis", "restored"), [(1, 1), (-4, 1), (2, 2)])
    def test_one_sum_that_keeps_the_axis(self, axis: int, restored: int) -> None:
        model = self.summed(axis, restored)
        assert apply(kept_dimensions.PASS, model, IMAGE) == 1
        assert operators(model) == {"ReduceSum": 1}

    @pytest.mark.parametrize(("axis", "restored", "keepdims"), [(1, 2, 0), (1, 1, 1)])
    def test_another_axis_stays(self, axis: int, restored: int, keepdims: int) -> None:
        assert apply(kept_dimensions.PASS, self.summed(axis, restored, keepdims), IMAGE) == 0


class TestSoftplus:
    def logarithm(self, one: float) -> ir.Model:
        builder = GraphBuilder()
        power = builder.add("Exp", builder.image)
        return builder.model(builder.add("Log", builder.add("Add", builder.constant(one), power)))

    def test_log_of_one_plus_exp(self) -> None:
        model = self.logarithm(1.0)
        assert apply(softplus.PASS, model, IMAGE, 1e-6) == 1
        assert operators(model) == {"Softplus": 1}

    def test_it_neither_overflows_nor_vanishes(self) -> None:
        model = self.logarithm(1.0)
        softplus.PASS(model)
        image = np.array([200.0, -30.0], np.float32).reshape(1, 2, 1, 1, 1)
        (result,) = run(model, image).values()
        np.testing.assert_allclose(result.ravel(), [200.0, np.exp(-30.0)], rtol=1e-5)

    def test_another_addend_stays(self) -> None:
        assert apply(softplus.PASS, self.logarithm(1.0001), IMAGE) == 0


class TestBinaryEntropy:
    def cross_entropy(
        self, *, labels: str = "Sigmoid", zero: float = 0.0, hinge_on: float = 1.0, shape_of_zero: bool = True
    ) -> ir.Model:
        """As tf.nn.sigmoid_cross_entropy_with_logits builds it; the labels are an output as well."""
        builder = GraphBuilder()
        x = builder.add("Mul", builder.image, builder.constant(4.0))
        if shape_of_zero:
            value = ir.serde.serialize_tensor(ir.tensor(np.array([zero], np.float32)))
            zeros = builder.add("ConstantOfShape", builder.add("Shape", x), value=value)
        else:
            zeros = builder.constant(zero)
        other = x if hinge_on == 1 else builder.add("Mul", x, builder.constant(hinge_on))
        positive = builder.add("GreaterOrEqual", x, zeros)
        hinge = builder.add("Where", positive, other, zeros)
        falling = builder.add("Where", positive, builder.add("Neg", x), x)
        target = builder.add(labels, x)
        difference = builder.add("Sub", hinge, builder.add("Mul", x, target))
        return builder.model(builder.add("Add", difference, builder.add("Softplus", falling)), target)

    @pytest.mark.parametrize("shape_of_zero", [True, False])
    def test_the_entropy_of_a_sigmoid(self, shape_of_zero: bool) -> None:
        model = self.cross_entropy(shape_of_zero=shape_of_zero)
        assert apply(binary_entropy.PASS, model, IMAGE, 1e-6) == 1
        assert operators(model) == {"Mul": 2, "Abs": 1, "Neg": 1, "Sigmoid": 2, "Softplus": 1, "Sub": 1}

    def test_it_is_the_entropy_where_the_difference_cancels(self) -> None:
        model = self.cross_entropy()
        binary_entropy.PASS(model)
        x = np.array([0.0, 3.0, -3.0, 20.0, -20.0, 60.0])
        image = (x / 4).astype(np.float32).reshape(1, 2, 1, 1, 3)
        entropy, _ = run(model, image).values()
        rare = np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))  # the smaller of the two probabilities
        exact = -rare * np.log(rare) - (1 - rare) * np.log1p(-rare)
        # In the form before the pass, 60 − 60·σ(60) is off by up to 60 · 6e-8.
        np.testing.assert_allclose(entropy.ravel(), exact, rtol=2e-7, atol=5e-8)

    @pytest.mark.parametrize(
        "changed",
        [{"labels": "Tanh"}, {"zero": 0.5}, {"hinge_on": 2.0}, {"zero": 0.5, "shape_of_zero": False}],
    )
    def test_another_cross_entropy_stays(self, changed: dict) -> None:
        assert apply(binary_entropy.PASS, self.cross_entropy(**changed), IMAGE) == 0


class TestExplicitPadding:
    def convolution(self, size: int, **attributes: object) -> ir.Model:
        builder = GraphBuilder()
        kernel = np.random.default_rng(1).standard_normal((3, 2, size, 1, 3))
        return builder.model(builder.add("Conv", builder.image, builder.constant(kernel), **attributes))

    @pytest.mark.parametrize(
        ("size", "mode", "pads"),
        [
            (3, "SAME_UPPER", (1, 0, 1, 1, 0, 1)),
            (4, "SAME_UPPER", (1, 0, 1, 2, 0, 1)),
            (4, "SAME_LOWER", (2, 0, 1, 1, 0, 1)),
        ],
    )
    def test_what_keeps_the_size_is_written_out(self, size: int, mode: str, pads: tuple[int, ...]) -> None:
        model = self.convolution(size, auto_pad=mode)
        assert apply(explicit_padding.PASS, model, IMAGE) == 1
        (node,) = model.graph
        assert node.attributes.get_ints("pads") == pads
        assert "auto_pad" not in node.attributes

    def test_strides_stay(self) -> None:
        """With strides, the padding depends on the size."""
        model = self.convolution(3, auto_pad="SAME_UPPER", strides=[2, 1, 1])
        assert apply(explicit_padding.PASS, model, IMAGE) == 0

    def test_a_kernel_of_unknown_size_stays(self) -> None:
        builder = GraphBuilder()
        kernel = builder.add("Abs", builder.constant(np.ones((3, 2, 3, 1, 3))))
        model = builder.model(builder.add("Conv", builder.image, kernel, auto_pad="SAME_UPPER"))
        assert apply(explicit_padding.PASS, model, IMAGE) == 0

    @pytest.mark.parametrize("attributes", [{"auto_pad": "VALID"}, {"pads": [1, 0, 1] * 2}, {}])
    def test_other_paddings_stay(self, attributes: dict[str, object]) -> None:
        model = self.convolution(2, **attributes)
        assert apply(explicit_padding.PASS, model, IMAGE) == 0
