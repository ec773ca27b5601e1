"""The float16 form that TensorRT builds from: its types, what stays in float32, and its results."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from support.small_network import small_network

from efficientscn_trt.export.passes.split_convolution import split_convolutions
from efficientscn_trt.export.precision import float16, for_tensorrt
from efficientscn_trt.export.precision.accumulation import summing_in_float16
from efficientscn_trt.export.precision.float16 import to_float16
from efficientscn_trt.export.precision.rounding import run_rounded, with_rounding

HALF, SINGLE = ir.DataType.FLOAT16, ir.DataType.FLOAT


def run(model: ir.Model, image: np.ndarray) -> np.ndarray:
    """The first output, computed without graph optimizations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(ir.to_proto(model).SerializeToString(), options)
    return np.asarray(session.run(None, {"image": image})[0])


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(3).uniform(-0.5, 0.2, (1, 1, 16, 20, 24)).astype(np.float32)


@pytest.fixture(scope="module")
def half() -> ir.Model:
    return for_tensorrt(small_network())[0]


def test_inputs_and_outputs_are_float16_under_their_own_names(half: ir.Model) -> None:
    (given,), (result,) = half.graph.inputs, half.graph.outputs
    assert (given.name, given.dtype) == ("image", HALF)
    assert (result.name, result.dtype) == ("probabilities", HALF)
    assert [str(size) for size in given.shape or ()] == ["1", "1", "z", "y", "x"]


def test_the_arithmetic_of_the_entropy_and_the_normalisation_alone_stays_in_float32(half: ir.Model) -> None:
    single = sorted(node.op_type for node in half.graph if node.outputs[0].dtype == SINGLE)
    voxelwise = ["Add", "Add", "Div", "Mul", "Mul", "Mul", "Mul", "ReduceSum", "Sigmoid", "Sigmoid"]
    assert single == sorted([*voxelwise, "Cast", "Cast", "Softplus", "Sub", "Sub"])


def test_casts_are_only_at_the_borders_of_islands(half: ir.Model) -> None:
    casts = [node for node in half.graph if node.op_type == "Cast"]
    assert sum(node.attributes["to"].as_int() == HALF for node in casts) == 1
    assert len(casts) == 3


def test_the_scales_of_a_resize_stay_float32_as_onnx_wants(half: ir.Model) -> None:
    scales = {node.inputs[2] for node in half.graph if node.op_type == "Resize"}
    assert [value.dtype for value in scales if value] == [SINGLE]


def test_the_report_names_what_stayed_in_float32() -> None:
    _, report = for_tensorrt(small_network())
    assert report.float32_operators == {
        "Add": 2,
        "Div": 1,
        "Mul": 4,
        "ReduceSum": 1,
        "Sigmoid": 2,
        "Softplus": 1,
        "Sub": 2,
    }
    assert report.float16_nodes > 10


def test_probabilities_agree_within_float16(half: ir.Model, image: np.ndarray) -> None:
    expected = run(small_network(), image)
    found = run(with_rounding(half), image)
    assert np.abs(found - expected).max() < 4e-3
    assert (found.argmax(1) == expected.argmax(1)).mean() > 0.995


def convolution(channels: int, window: tuple[int, ...], pads: list[int]) -> tuple[ir.Model, np.ndarray]:
    """A network of one float16 convolution, and its weights [2, channels, z, y, x]."""
    weights = np.random.default_rng(5).normal(0, 0.3, (2, channels, *window)).astype(np.float16)
    element = onnx.TensorProto.FLOAT16
    image = onnx.helper.make_tensor_value_info("image", element, [1, channels, "z", "y", "x"])
    out = onnx.helper.make_tensor_value_info("out", element, None)
    constants = [
        onnx.numpy_helper.from_array(weights, "weights"),
        onnx.numpy_helper.from_array(np.array([0.25, -3], np.float16), "bias"),
    ]
    node = onnx.helper.make_node("Conv", ["image", "weights", "bias"], ["out"], pads=pads)
    graph = onnx.helper.make_graph([node], "convolution", [image], [out], constants)
    opset = [onnx.helper.make_opsetid("", 17)]
    model = ir.from_proto(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8))
    model.graph[0].outputs[0].type = ir.TensorType(HALF)
    return model, weights


@pytest.mark.parametrize("channels", [1, 16, 40])
def test_sums_are_float16_after_each_voxel_and_16_channels(channels: int) -> None:
    model, weights = convolution(channels, (2, 1, 3), [1, 0, 1, 0, 0, 1])
    image = np.random.default_rng(6).normal(0, 1, (1, channels, 3, 2, 4)).astype(np.float16)
    found = run_rounded(summing_in_float16(model), image.astype(np.float32))["out"][0]
    padded = np.pad(image[0].astype(np.float32), [(0, 0), (1, 0), (0, 0), (1, 1)])
    expected = np.zeros((2, 3, 2, 4), np.float16)
    for dz, dx in np.ndindex(2, 3):
        for first in range(0, channels, 16):
            there = padded[first : first + 16, dz : dz + 3, :, dx : dx + 4]
            tap = weights[:, first : first + 16, dz, 0, dx].astype(np.float32)
            expected = expected + np.einsum("oc,czyx->ozyx", tap, there).astype(np.float16)
    expected = expected + np.array([0.25, -3], np.float16).reshape(2, 1, 1, 1)
    assert expected.dtype == np.float16
    np.testing.assert_allclose(found, expected, atol=2e-3)  # a sum of 16 may be rounded the other way
    exact = run_rounded(model, image.astype(np.float32))["out"][0]
    assert np.abs(found - exact).mean() < 2e-2


def test_sums_in_float16_overflow_where_float32_does_not() -> None:
    model, _ = convolution(32, (1, 1, 1), [0] * 6)
    weights = np.ones((2, 32, 1, 1, 1), np.float16)
    weights[:, 16:] = -1
    model.graph.initializers["weights"].const_value = ir.tensor(weights, name="weights")
    image = np.full((1, 32, 1, 1, 1), 5000, np.float32)
    assert np.isfinite(run_rounded(model, image)["out"]).all()
    assert not np.isfinite(run_rounded(summing_in_float16(model), image)["out"]).any()


@pytest.mark.parametrize(
    "attributes", [{"group": 2}, {"strides": [2, 1, 1]}, {"dilations": [1, 2, 1]}, {"auto_pad": "SAME_UPPER"}]
)
def test_other_convolutions_keep_their_sums(attributes: dict[str, Any]) -> None:
    model, _ = convolution(2, (1, 1, 1), [0] * 6)
    node = model.graph[0]
    for name, value in attributes.items():
        node.attributes.add(ir.convenience.convert_attribute(name, value))
    assert [node.op_type for node in summing_in_float16(model).graph] == ["Conv"]


def test_the_island_matters(image: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the spatial prediction is confident, 1 − s and the entropy subtract nearly equal numbers."""
    model = small_network()
    bias = ir.tensor(np.full(3, 3.0, np.float32), name="b_labels")
    model.graph.initializers["b_labels"].const_value = bias
    expected = run(model, image)
    with_island, without = model.clone(), model.clone()
    to_float16(with_island)
    monkeypatch.setattr(float16, "find_islands", lambda model: set())
    to_float16(without)
    error = np.abs(run(with_rounding(with_island), image) - expected).max()
    assert error < np.abs(run(with_rounding(without), image) - expected).max() / 2


def test_a_constant_beyond_float16_keeps_its_node_in_float32() -> None:
    model = ir.from_proto(
        onnx.parser.parse_model(
            """<ir_version: 8, opset_import: ["" : 17]>
            big (float[1,1,z,y,x] image) => (float[1,1,z,y,x] result)
            <float[1] far = {1e6}, float[1] near = {2.0}>
            { a = Mul (image, near)  b = Min (a, far)  result = Mul (b, near) }"""
        )
    )
    report = to_float16(model)
    assert report.float32_operators == {"Min": 1}
    image = np.full((1, 1, 2, 2, 2), 0.25, np.float16)
    assert run(model, image).dtype == np.float16
    assert (run(model, image) == 1.0).all()


def test_a_mask_stays_bool() -> None:
    model = ir.from_proto(
        onnx.parser.parse_model(
            """<ir_version: 8, opset_import: ["" : 17]>
            mask (float[1,1,z,y,x] image) => (bool[1,1,z,y,x] mask)
            <float[1] edge = {0.1}> { mask = Less (image, edge) }"""
        )
    )
    to_float16(model)
    assert model.graph.outputs[0].dtype == ir.DataType.BOOL
    assert model.graph.inputs[0].dtype == HALF


def test_constants_and_casts_inside_the_graph_follow() -> None:
    model = ir.from_proto(
        onnx.parser.parse_model(
            """<ir_version: 8, opset_import: ["" : 17]>
            constants (float[1,1,z,y,x] image) => (float[1,1,z,y,x] result)
            {
                two = Constant <value = float {2.0}> ()
                flags = Greater (image, two)
                one = Cast <to = 1> (flags)
                shape = Shape (image)
                zeros = ConstantOfShape <value = float[1] {0.5}> (shape)
                sum = Add (one, zeros)
                result = Mul (sum, two)
            }"""
        )
    )
    to_float16(model)
    assert {node.outputs[0].dtype for node in model.graph if node.op_type in ("Cast", "Mul", "Add")} == {HALF}
    image = np.array([0.0, 3.0], np.float16).reshape(1, 1, 1, 1, 2)
    assert run(model, image).ravel().tolist() == [1.0, 3.0]


def test_the_float32_network_is_left_as_it_was() -> None:
    model = small_network()
    before = ir.to_proto(model).SerializeToString(deterministic=True)
    for_tensorrt(model)
    assert ir.to_proto(model).SerializeToString(deterministic=True) == before


def test_rounding_rounds_every_result_once(half: ir.Model, image: np.ndarray) -> None:
    rounded = with_rounding(half)
    found = run(rounded, image)
    assert found.dtype == np.float32
    assert (found == found.astype(np.float16)).all()
    halves = sum(output.dtype == HALF for node in half.graph for output in node.outputs)
    pairs = sum(node.op_type == "Cast" and node.attributes["to"].as_int() == HALF for node in rounded.graph)
    assert pairs == halves + 1  # the image too


def test_the_convolution_at_full_resolution_alone_is_split(image: np.ndarray) -> None:
    model = small_network()
    expected = run(model, image)
    assert split_convolutions(model) == 1
    assert sum(node.op_type == "Concat" for node in model.graph) == 1  # the lower level's
    assert sum(node.op_type == "Conv" for node in model.graph) == 7
    assert np.abs(run(model, image) - expected).max() < 1e-5


def test_the_bias_is_added_once() -> None:
    model = small_network()
    split_convolutions(model)
    (total,) = (node for node in model.graph if node.op_type == "Add" and str(node.name).endswith("_sum"))
    skip, upsampled = (value.producer() for value in total.inputs if value is not None)
    assert skip is not None and upsampled is not None
    assert (len(skip.inputs), len(upsampled.inputs)) == (2, 3)
    assert skip.inputs[0] is not None and skip.inputs[0].name == "skip"


@pytest.mark.parametrize(
    "change",
    ["both = Concat <axis=1> (skip, upsampled, skip)", "both = Concat <axis=2> (skip, upsampled)"],
)
def test_another_concatenation_is_left_alone(change: str) -> None:
    channels = 6 if "axis=1" in change else 2
    model = ir.from_proto(
        onnx.parser.parse_model(
            f"""<ir_version: 8, opset_import: ["" : 17]>
            other (float[1,2,z,y,x] image) => (float[1,1,a,b,c] result)
            <float[1,{channels},1,1,1] w = {{{", ".join(["1"] * channels)}}}>
            {{ skip = Neg (image)  upsampled = Abs (image)  {change}  result = Conv (both, w) }}"""
        )
    )
    assert split_convolutions(model) == 0


def test_a_convolution_whose_result_is_the_output_keeps_its_name() -> None:
    model = ir.from_proto(
        onnx.parser.parse_model(
            """<ir_version: 8, opset_import: ["" : 17]>
            last (float[1,1,z,y,x] image) => (float[1,1,z,y,x] result)
            <float[1,2,1,1,1] w = {1, 2}>
            { a = Neg (image)  b = Abs (image)  both = Concat <axis=1> (a, b)  result = Conv (both, w) }"""
        )
    )
    assert split_convolutions(model) == 1
    assert run(model, np.full((1, 1, 2, 2, 2), -3, np.float32)).ravel().tolist() == [9.0] * 8
    assert model.graph.outputs[0].name == "result"
