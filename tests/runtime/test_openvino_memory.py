"""The SCN rewritten for less memory gives the same results."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest

from efficientscn_trt.backends.openvino_memory import reduce_memory
from efficientscn_trt.bundle import Bundle, load
from efficientscn_trt.segmenter import default_bundle


def results(network: ov.Model, image: np.ndarray) -> np.ndarray:
    compiled = ov.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(image[np.newaxis, np.newaxis])[0]


@pytest.mark.parametrize("size", [(32, 32, 64), (96, 64, 32)])
def test_a_network_of_the_released_form(size: tuple[int, int, int]) -> None:
    network = ov.Core().read_model(str(load(default_bundle()).file("segmentation")))
    network.reshape([1, 1, *size])
    rewritten = network.clone()
    assert reduce_memory(rewritten)
    assert list(rewritten.output(0).shape) == list(network.output(0).shape)
    image = np.random.default_rng(0).uniform(-0.5, 0.5, size).astype(np.float32)
    np.testing.assert_allclose(results(rewritten, image), results(network, image), atol=1e-5)


def test_a_network_of_another_form_is_left_alone(tiny_bundle: Bundle) -> None:
    network = ov.Core().read_model(str(tiny_bundle.file("segmentation")))
    network.reshape([1, 1, 32, 32, 32])
    before = [node.get_friendly_name() for node in network.get_ordered_ops()]
    assert not reduce_memory(network)
    assert [node.get_friendly_name() for node in network.get_ordered_ops()] == before
