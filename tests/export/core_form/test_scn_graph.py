"""The parts of the SCN are found in its graph, and a graph that only resembles it is left alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from efficientscn_trt.bundle import load
from efficientscn_trt.export.core_form import OtherForm
from efficientscn_trt.export.core_form.localization_graph import find_localization
from efficientscn_trt.export.core_form.scn_graph import find_scn
from efficientscn_trt.export.reference.architecture import ScnArchitecture
from efficientscn_trt.segmenter import DEMO_BUNDLE


@pytest.fixture
def graph() -> ov.Model:
    return ov.Core().read_model(str(load(DEMO_BUNDLE).file("segmentation")))


def nodes(graph: ov.Model, kind: str) -> list[ov.Node]:
    return [node for node in graph.get_ordered_ops() if node.get_type_name() == kind]


def test_the_spatial_networks_are_found(graph: ov.Model) -> None:
    found = find_scn(graph)
    assert [(each.label, list(each.sees)) for each in found.spatial] == [
        (label, ScnArchitecture().others(label)) for label in range(5)
    ]
    for each in found.spatial:
        expected = ScnArchitecture().spatial(each.label)
        (first, _), (last, _) = each.unet.layers[0], each.unet.layers[-1]
        assert (len(each.unet.contracting), *first.shape[:2], last.shape[0]) == (
            *(expected.levels, expected.filters, expected.inputs, expected.outputs),
        )


def scale(node: ov.Node, output: int = 0) -> None:
    uses = list(node.output(output).get_target_inputs())
    for use in uses:
        use.replace_source_output(op.multiply(node.output(output), op.constant(np.float32(1.01))).output(0))


def image_pool(graph: ov.Model) -> ov.Node:
    return next(node for node in nodes(graph, "AvgPool") if node.input_value(0) == graph.input(0))


def spatial_logits(graph: ov.Model) -> ov.Node:
    """The logits of one spatial network."""
    return nodes(graph, "Pad")[0].input_value(0).get_node().input_value(2).get_node()


def local_sigmoid(graph: ov.Model) -> ov.Node:
    """The sigmoid that is pooled."""
    return next(
        pool.input_value(0).get_node()
        for pool in nodes(graph, "AvgPool")
        if pool.input_value(0).get_node().get_type_name() == "Sigmoid"
    )


COMBINED = "it combines the local and the spatial predictions otherwise"
NEAR_MISSES: dict[str, tuple[Callable[[ov.Model], None], str]] = {
    "another combination": (lambda graph: scale(nodes(graph, "ReduceSum")[-1]), COMBINED),
    "another entropy": (lambda graph: scale(nodes(graph, "SoftPlus")[0]), COMBINED),
    "another upsampling": (lambda graph: scale(nodes(graph, "Pad")[0]), COMBINED),
    "another share of the local prediction": (lambda graph: scale(nodes(graph, "Abs")[0]), COMBINED),
    "other inputs of the spatial networks": (
        lambda graph: scale(nodes(graph, "Split")[-1], output=2),
        "gives the spatial logits of the channels 0, 1, 3, 4$",
    ),
    "another image in the spatial networks": (
        lambda graph: scale(image_pool(graph)),
        "gives the spatial logits of the channels 0, 1, 2, 3, 4$",
    ),
    "other inputs of the joined logits": (
        lambda graph: scale(spatial_logits(graph)),
        "gives the spatial logits of the channels 2$",
    ),
    "other local predictions": (
        lambda graph: scale(local_sigmoid(graph)),
        "neither sigmoids nor the softmax of its local logits are pooled by one of 2, 4, 8 voxels",
    ),
    "logits that are not joined": (
        lambda graph: scale(nodes(graph, "Pad")[0].input_value(0).get_node()),
        "the spatial logits are not joined and then upsampled cubically",
    ),
    "another input": (lambda graph: scale(graph.input(0).get_node()), "no U-Net of the paper's form takes"),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_what_only_looks_like_the_scn_is_left_whole(name: str, graph: ov.Model) -> None:
    alter, reason = NEAR_MISSES[name]
    alter(graph)
    graph.validate_nodes_and_infer_types()
    with pytest.raises(OtherForm, match=reason):
        find_scn(graph)


@pytest.mark.parametrize("other", ["less", "less_equal", "greater"])
def test_the_masks_comparison(other: str) -> None:
    network = ov.Core().read_model(str(load(DEMO_BUNDLE).file("localization")))
    [less] = nodes(network, "Less")
    replaced = getattr(op, other)(less.input_value(0), less.input_value(1))
    for use in list(less.output(0).get_target_inputs()):
        use.replace_source_output(replaced.output(0))
    if other == "less":
        assert find_localization(network).head[0].shape[0] == 2
        return
    with pytest.raises(OtherForm, match="its mask is not true where the second logit is larger"):
        find_localization(network)
