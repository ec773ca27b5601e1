"""Which layer of a float16 network computes something else than the float32 network."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from support.kernels import change_weights, convolutions, scale, swap_labels, weights_of

from efficientscn_trt import bundle as bundles
from efficientscn_trt.export.precision.layer_check import (
    LARGEST_ERROR,
    layer_errors,
    layers_astray,
    results_of,
)
from efficientscn_trt.phantom import make_phantom
from efficientscn_trt.segmenter import DEMO_BUNDLE

SPACING = {"localization": 6.0, "segmentation": 4.0}


def networks(name: str) -> tuple[ir.Model, ir.Model, np.ndarray]:
    """A demo network in float32 and float16, and 32³ voxels of a phantom [1, 1, z, y, x]."""
    import SimpleITK as sitk

    bundle = bundles.load(DEMO_BUNDLE)
    hu = sitk.GetArrayFromImage(make_phantom(7, (32, 32, 32), (SPACING[name],) * 3).image)
    image = (hu.astype(np.float32) / 2048).clip(-1, 1)[None, None]
    return ir.load(bundle.file(name)), ir.load(bundle.file(name, "fp16")), image


@pytest.mark.parametrize("name", ["localization", "segmentation"])
def test_a_sound_network(name: str) -> None:
    single, half, image = networks(name)
    errors = layer_errors(half, image, results_of(single, image))
    assert len(errors) > 50
    assert 0 < max(layer.error for layer in errors) < LARGEST_ERROR / 2
    assert errors[-1].name == half.graph.outputs[0].name


@pytest.mark.parametrize("name", ["localization", "segmentation"])
def test_every_kernel_that_is_scaled_by_5_percent_is_found(name: str) -> None:
    """Each convolution in turn; of the segmentation network every fifth, and the last, which share one."""
    single, half, image = networks(name)
    places = range(len(convolutions(half)))
    for place in places if name == "localization" else [*places[::5], *places[-3:]]:
        broken = half.clone()
        node = convolutions(broken)[place]
        change_weights(node, scale)
        found = [layer.name for layer in layers_astray(single, broken, image)]
        sharing = (each for each in convolutions(broken) if each.inputs[1] is node.inputs[1])
        assert found == [each.outputs[0].name for each in sharing]


def test_one_filter_of_a_kernel() -> None:
    single, half, image = networks("localization")
    change_weights(convolutions(half)[3], lambda values: scale(values[4]))
    (found,) = layers_astray(single, half, image)
    assert found.name == convolutions(half)[3].outputs[0].name
    assert found.error == pytest.approx(0.05, rel=0.2)


def test_a_weight_that_overflows() -> None:
    single, half, image = networks("localization")
    change_weights(convolutions(half)[5], lambda values: values[0].fill(np.inf))
    (found,) = layers_astray(single, half, image)
    assert found.name == convolutions(half)[5].outputs[0].name
    assert np.isinf(found.error)
    assert "has values that are not finite" in str(found)


def test_values_that_overflow_though_no_weight_does() -> None:
    """The float32 network has them, so that the file is right, and float16 cannot hold them."""
    single, half, image = networks("localization")
    for model in (single, half):
        change_weights(convolutions(model)[1], lambda values: values.__imul__(np.asarray(6e4, values.dtype)))
    names = [layer.name for layer in layers_astray(single, half, image)]
    assert names[0] == convolutions(half)[1].outputs[0].name


def test_two_labels_that_are_swapped() -> None:
    single, half, image = networks("segmentation")
    local = next(node for node in convolutions(half) if len(weights_of(node)) == 5)
    change_weights(local, swap_labels)
    (found,) = layers_astray(single, half, image)
    assert found.name == local.outputs[0].name
    assert found.error > 0.5


def test_the_neighbourhood_is_named() -> None:
    single, half, image = networks("localization")
    node = convolutions(half)[7]
    change_weights(node, scale)
    (found,) = layers_astray(single, half, image)
    before, after = node.inputs[0], next(iter(node.outputs[0].consumers()))
    assert before is not None
    assert found.before == (f"the LeakyRelu {before.name}",)
    assert found.after == (f"the LeakyRelu {after.outputs[0].name}",)
    assert str(found).startswith(f"the result of the Conv {found.name} (after the LeakyRelu ")


def test_another_comparison_at_the_end() -> None:
    """A mask has no size, so that its error is the share of voxels that differ."""
    single, half, image = networks("localization")
    last = half.graph.outputs[0].producer()
    assert last is not None
    first, second = last.inputs[:2]
    last.replace_input_with(0, second)
    last.replace_input_with(1, first)
    (found,) = layers_astray(single, half, image)
    assert found.name == "mask"
    assert found.error > 0.9


def test_numbers_that_float16_can_hardly_tell_apart() -> None:
    """Deep layers of a network with random weights may have results of 1e-6, whose float16 step is 6e-8."""
    single, half, image = networks("localization")
    for model in (single, half):
        change_weights(convolutions(model)[0], lambda values: values.__imul__(np.asarray(1e-6, values.dtype)))
    for model in (single, half):
        bias = convolutions(model)[0].inputs[2]
        assert bias is not None and bias.const_value is not None
        bias.const_value = ir.Tensor(np.zeros_like(bias.const_value.numpy()), name=bias.name)
    assert layer_errors(half, image, results_of(single, image))[1].error > LARGEST_ERROR
    assert layers_astray(single, half, image) == []


def test_a_result_of_another_size() -> None:
    """A kernel without its padding."""
    single, half, image = networks("localization")
    node = convolutions(half)[0]
    node.attributes["pads"] = ir.AttrInt64s("pads", [0] * 6)
    found = layers_astray(single, half, image)
    assert found[0].name == node.outputs[0].name
    assert np.isinf(found[0].error)
