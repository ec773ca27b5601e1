"""The SCN's graph is split where the core computes the same, and left whole otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from efficientscn_trt.backends.cpu import CpuBackend
from efficientscn_trt.backends.cpu_networks import Scn, UNetFirst, WholeNetwork
from efficientscn_trt.backends.scn_graph import find_spatial
from efficientscn_trt.backends.unet_graph import find_unet
from efficientscn_trt.bundle import Bundle, load
from efficientscn_trt.segmenter import default_bundle


@pytest.fixture
def graph() -> ov.Model:
    return ov.Core().read_model(str(load(default_bundle()).file("segmentation")))


def spatial_of(graph: ov.Model) -> ov.Model | None:
    unet = find_unet(graph)
    assert unet is not None
    return find_spatial(graph, unet)


def nodes(graph: ov.Model, kind: str) -> list[ov.Node]:
    return [node for node in graph.get_ordered_ops() if node.get_type_name() == kind]


def test_the_spatial_networks_are_found(graph: ov.Model) -> None:
    found = spatial_of(graph)
    assert found is not None
    assert [tuple(value.partial_shape.get_min_shape())[:2] for value in found.inputs] == [(1, 1), (1, 5)]
    outputs = {node.get_output_partial_shape(0)[1].get_length() for node in nodes(found, "Convolution")}
    assert outputs == {16, 1}  # filters of the spatial networks, and their logits


def scale(network: ov.Model, node: ov.Node) -> None:
    uses = list(node.output(0).get_target_inputs())
    for use in uses:
        use.replace_source_output(op.multiply(node.output(0), op.constant(np.float32(1.01))).output(0))


NEAR_MISSES: dict[str, Callable[[ov.Model], None]] = {
    "another combination": lambda graph: scale(graph, nodes(graph, "ReduceSum")[-1]),
    "another entropy": lambda graph: scale(graph, nodes(graph, "SoftPlus")[0]),
    "another upsampling": lambda graph: scale(graph, nodes(graph, "Pad")[0]),
    "another share of the local prediction": lambda graph: scale(graph, nodes(graph, "Abs")[0]),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_what_only_looks_like_the_scn_is_left_whole(name: str, graph: ov.Model) -> None:
    NEAR_MISSES[name](graph)
    graph.validate_nodes_and_infer_types()
    assert spatial_of(graph) is None


def test_each_network_runs_in_its_form(tiny_bundle: Bundle) -> None:
    backend = CpuBackend(load(default_bundle()), "fp32", 0)
    assert isinstance(backend._localization, UNetFirst)
    assert isinstance(backend._segmentation.result(), Scn)
    backend = CpuBackend(tiny_bundle, "fp32", 0)
    assert isinstance(backend._localization, WholeNetwork)
    assert isinstance(backend._segmentation.result(), WholeNetwork)


@pytest.mark.parametrize(
    ("sizes", "form"), [((48, 48, 48), Scn), ((40, 40, 40), WholeNetwork), ((32, 32, 40), WholeNetwork)]
)
def test_sizes_that_the_core_cannot_take(sizes: tuple[int, int, int], form: type) -> None:
    bundle = load(default_bundle())
    z, y, x = sizes
    stage = replace(bundle.manifest.pipeline.segmentation, valid_sizes=((z,), (y,), (x,)))
    pipeline = replace(bundle.manifest.pipeline, segmentation=stage)
    other = replace(bundle, manifest=replace(bundle.manifest, pipeline=pipeline))
    assert isinstance(CpuBackend(other, "fp32", 0)._segmentation.result(), form)


@pytest.mark.parametrize("size", [(32, 64, 96), (64, 32, 32)])
def test_the_networks_compute_what_openvino_computes(size: tuple[int, int, int]) -> None:
    bundle = load(default_bundle())
    backend = CpuBackend(bundle, "fp32", 2)
    image = np.random.default_rng(0).uniform(-0.5, 0.3, size).astype(np.float32)
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    for name, found in (("localization", backend.localize(image)), ("segmentation", backend.segment(image))):
        whole = ov.Core().compile_model(str(bundle.file(name)), "CPU", config)
        np.testing.assert_allclose(found, whole(image[np.newaxis, np.newaxis])[0][0], rtol=0, atol=1e-4)
