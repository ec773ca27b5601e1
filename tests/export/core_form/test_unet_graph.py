"""A network's U-Net is found in its graph, and a graph that only resembles one is left alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op
from support.unet_reference import SLOPE, Layer, UNetReference

from efficientscn_trt.bundle import Bundle, load
from efficientscn_trt.export.core_form.unet_graph import find_unet
from efficientscn_trt.segmenter import DEMO_BUNDLE

REFERENCE = UNetReference.seeded(3, 16, 2)
SEVERAL_INPUTS = UNetReference.seeded(3, 16, 2, inputs=4)


def graph_of(split: bool = False, reference: UNetReference = REFERENCE, **changes: Any) -> ov.Model:
    """Return the reference's graph. `split`: convolve skip and upsampled apart; `changes` replace parts."""
    make = {
        "pool": lambda value: op.avg_pool(value, [2, 2, 2], [0] * 3, [0] * 3, [2, 2, 2], True),
        "upsample": upsample(),
        "join": lambda skip, upsampled: op.concat([skip, upsampled], 1),
        "activate": lambda value, layer: op.prelu(value, constant([SLOPE])),
        "convolve": convolve(),
        "end": lambda logits: op.softmax(logits, 1),
    } | changes

    def activated(value: Any, layer: Layer) -> Any:
        return make["activate"](make["convolve"](value, layer), layer)

    def joined(skip: Any, upsampled: Any, layer: Layer) -> Any:
        if not split:
            return activated(make["join"](skip, upsampled), layer)
        kernel, bias = layer
        of_skip = op.convolution(skip, constant(kernel[:, :16]), [1] * 3, [1] * 3, [1] * 3, [1] * 3)
        of_upsampled = make["convolve"](upsampled, (kernel[:, 16:], bias))
        return make["activate"](op.add(of_skip, of_upsampled), layer)

    inputs = reference.contracting[0][0][0].shape[1]
    image = op.parameter([1, inputs, -1, -1, -1], np.float32, name="image")
    value: Any = image
    skips = []
    for level, block in enumerate(reference.contracting):
        value = make["pool"](value) if level else value
        for layer in block:
            value = activated(value, layer)
        skips.append(value)
    skips.pop()
    for layer in reference.expanding[-1]:
        value = activated(value, layer)
    for block in reversed(reference.expanding[:-1]):
        value = activated(joined(skips.pop(), make["upsample"](value), block[0]), block[1])
    logits = make["convolve"](value, reference.head)
    return ov.Model([op.result(make["end"](logits))], [image], "test")


def constant(values: Any) -> Any:
    return op.constant(np.asarray(values, np.float32))


def convolve(dilations: tuple[int, ...] = (1, 1, 1)) -> Callable[[Any, Layer], Any]:
    def of(value: Any, layer: Layer) -> Any:
        kernel, bias = layer
        edge = [kernel.shape[2] // 2 * dilation for dilation in dilations]
        found = op.convolution(value, constant(kernel), [1] * 3, edge, edge, list(dilations))
        return op.add(found, op.reshape(constant(bias), op.constant([1, -1, 1, 1, 1]), False))

    return of


def upsample(mode: str = "linear_onnx", transformation: str = "half_pixel", factor: int = 2) -> Any:
    def of(value: Any) -> Any:
        scales = constant([1, 1, factor, factor, factor])
        return op.interpolate(
            value, scales, mode, "scales", coordinate_transformation_mode=transformation, pads_begin=[0] * 5
        )

    return of


@pytest.mark.parametrize("reference", [REFERENCE, SEVERAL_INPUTS], ids=["image", "several inputs"])
@pytest.mark.parametrize("split", [False, True])
def test_a_unet_is_found(split: bool, reference: UNetReference) -> None:
    graph = graph_of(split, reference)
    found = find_unet(graph.input(0))
    assert found is not None and found.slope == pytest.approx(SLOPE)
    [end] = found.logits.get_target_inputs()
    assert end.get_node().get_type_name() == "Softmax"
    layers = [*chain(*reference.contracting, *reference.expanding), reference.head]
    for own, other in zip(found.layers, layers, strict=True):
        np.testing.assert_array_equal(own[0], other[0])
        np.testing.assert_array_equal(own[1], other[1])


NEAR_MISSES: dict[str, dict[str, Any]] = {
    "largest of a pool": {
        "pool": lambda value: op.max_pool(value, [2] * 3, [1] * 3, [0] * 3, [0] * 3, [2] * 3).output(0)
    },
    "pool of padded voxels": {
        "pool": lambda value: op.avg_pool(value, [2] * 3, [1] * 3, [1] * 3, [2, 2, 2], False)
    },
    "nearest upsampling": {"upsample": upsample("nearest")},
    "upsampling by corners": {"upsample": upsample(transformation="align_corners")},
    "upsampling by three": {"upsample": upsample(factor=3)},
    "upsampled first": {"join": lambda skip, upsampled: op.concat([upsampled, skip], 1)},
    "sum with the skip": {"join": lambda skip, upsampled: op.concat([op.add(skip, upsampled), upsampled], 1)},
    "another activation": {"activate": lambda value, layer: op.elu(value, 1.0)},
    "one slope per layer": {
        "activate": lambda value, layer: op.prelu(value, constant([abs(float(layer[1][0]))]))
    },
    "dilated convolutions": {"convolve": convolve((1, 2, 1))},
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_what_is_only_like_a_unet_is_not_taken(name: str) -> None:
    assert find_unet(graph_of(**NEAR_MISSES[name]).input(0)) is None


@pytest.mark.parametrize("name", ["localization", "segmentation"])
def test_networks_of_the_released_form(name: str) -> None:
    graph = ov.Core().read_model(str(load(DEMO_BUNDLE).file(name)))
    found = find_unet(graph.input(0))
    assert found is not None
    assert (len(found.contracting), found.head[0].shape[1]) == (5, 32)


@pytest.mark.parametrize("name", ["localization", "segmentation"])
def test_other_networks(name: str, tiny_bundle: Bundle) -> None:
    assert find_unet(ov.Core().read_model(str(tiny_bundle.file(name))).input(0)) is None
