"""The conversion before the graph passes: float32 throughout, and operators that tf2onnx lacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

import onnx_ir as ir
import tensorflow as tf
from support.model_folders import ModelFolders
from support.tiny_models import LABELS

from efficientscn_trt.errors import ExportError
from efficientscn_trt.export.compare import run
from efficientscn_trt.export.convert import OPSET, as_float32, to_onnx, with_logits
from efficientscn_trt.export.passes import constants
from efficientscn_trt.export.savedmodel import FrozenGraph, load_saved_model

Function = Callable[[Any], Any]
"""A function of one image."""


def frozen(function: Function, *, dtype: tf.DType = tf.float16) -> FrozenGraph:
    """The graph of a function of one image."""
    specification = tf.TensorSpec([None, 1, None, None, None], dtype, name="image")
    graph = tf.function(function, input_signature=[specification]).get_concrete_function()
    return FrozenGraph(graph.graph.as_graph_def(), graph.inputs[0].name, {"output": graph.outputs[0].name})


IMAGE = np.random.default_rng(0).standard_normal((1, 1, 4, 6, 8), np.float32)


def converted(function: Function, image: np.ndarray = IMAGE) -> np.ndarray:
    return run(to_onnx(as_float32(frozen(function)), {"output": "result"}), image)["result"]


def array(initializer: ir.Value) -> np.ndarray:
    tensor = initializer.const_value
    assert tensor is not None
    return tensor.numpy()


def test_no_float16_is_left_and_weights_keep_their_bits(tiny_models: ModelFolders) -> None:
    saved = load_saved_model(tiny_models.segmentation, "segmentation", LABELS)
    graph = as_float32(saved.freeze())
    assert "DT_HALF" not in str(graph.graph_def)
    model = to_onnx(graph, {"output": "probabilities"})
    constants.PASS(model)
    arrays = [array(value) for value in model.graph.initializers.values()]
    kernels = {each.tobytes() for each in arrays if each.ndim == 5}
    for variable in saved.signature.variables:
        if len(variable.shape) == 5:
            weight = variable.numpy().transpose(4, 3, 0, 1, 2)
            assert (weight != weight.astype(np.float16)).any()
            assert weight.tobytes() in kernels


def test_the_model_is_one_that_older_runtimes_read(tiny_models: ModelFolders) -> None:
    saved = load_saved_model(tiny_models.localization, "localization", LABELS)
    model = to_onnx(as_float32(saved.freeze()), {"output": "mask"})
    assert model.ir_version == 8
    assert model.opset_imports[""] == OPSET == 17
    (image,) = model.graph.inputs
    assert image.name == "image"
    assert [str(size) for size in image.shape or ()] == ["1", "1", "z", "y", "x"]


@pytest.mark.parametrize("constant", [math.log(2.0), 1 / math.log(2.0), 1e-5])
def test_constants_of_the_equations_are_exact_again(constant: float) -> None:
    rounded = float(np.float16(constant))
    assert abs(rounded / constant - 1) > 1e-4
    np.testing.assert_allclose(converted(lambda x: x * constant), IMAGE * constant, rtol=1e-6)


@pytest.mark.parametrize("constant", [0.25, 745 / 1024, 0.5])
def test_other_constants_stay_as_they_are(constant: float) -> None:
    np.testing.assert_array_equal(converted(lambda x: x * constant), IMAGE * np.float32(constant))


def test_log1p() -> None:
    positive = np.abs(IMAGE)
    np.testing.assert_allclose(converted(tf.math.log1p, positive), np.log1p(positive), atol=1e-6)


def test_select_keeps_infinities_out() -> None:
    """With the condition as a factor, ∞ · 0 would be NaN."""
    image = np.where(IMAGE > 0, np.inf, IMAGE).astype(np.float32)
    result = converted(lambda x: tf.where(x > 0, tf.zeros_like(x), x), image)
    np.testing.assert_array_equal(result, np.minimum(IMAGE, 0))


def test_logits_that_a_mask_is_computed_from(tiny_models: ModelFolders) -> None:
    saved = load_saved_model(tiny_models.localization, "localization", LABELS)
    graph = with_logits(as_float32(saved.freeze()))
    image = np.random.default_rng(0).standard_normal((1, 1, 16, 16, 16), np.float32)
    outputs = graph.run(image)
    assert outputs["logits"].shape == (1, 2, 16, 16, 16)
    np.testing.assert_array_equal(outputs["output"], outputs["logits"][:, :1] < outputs["logits"][:, 1:])


@pytest.mark.parametrize(
    "function", [lambda x: x * 2, lambda x: x < 2 * x, lambda x: tf.logical_not(x[:, :1] < x)]
)
def test_no_logits_without_a_comparison_of_channels(function: Function) -> None:
    assert list(with_logits(frozen(function)).outputs) == ["output"]


def test_an_operator_without_onnx_form() -> None:
    with pytest.raises(ExportError, match="operators that ONNX does not have: Igamma"):
        to_onnx(frozen(lambda x: tf.math.igamma(x, x), dtype=tf.float32), {"output": "result"})
