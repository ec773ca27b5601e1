"""Find the spatial networks in the SCN's graph; the core computes what is before and after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _core
from .openvino_start import compile_model, op, ov
from .unet_graph import UNetGraph, find_unet, pools, replace_by_parameter, uses

_PROBE_SIZE = (8, 8, 16)
_PROBE_LIMIT = 1e-4
#: The size of the spatial networks' voxels along each axis, in voxels of the image.
STRIDE = 4

#: The size of an image along z, y and x must be a multiple of these for the core's combination.
MULTIPLES = (4, 4, 16)


@dataclass(frozen=True)
class _Ends:
    """The pooled local prediction, and the spatial logits before they are upsampled."""

    pooled: ov.Output
    spatial: ov.Output


def find_spatial(network: ov.Model, unet: UNetGraph) -> ov.Model | None:
    """Return the part of `network` that computes the spatial logits; None if the core cannot do the rest.

    `network` is the SCN, and `unet` is its local U-Net. The part takes the image and the local prediction,
    average-pooled by 4. What follows the spatial logits is recognized by its results on a small random input.
    If the part is found, `network` is altered; do not use it again.
    """
    ends = _ends(network, unet)
    if ends is None or not _combines_as_the_core(network):
        return None
    pooled = replace_by_parameter(ends.pooled, "pooled")
    return ov.Model([op.result(ends.spatial)], [*network.get_parameters(), pooled], "spatial networks")


def _ends(network: ov.Model, unet: UNetGraph) -> _Ends | None:
    pooled = [
        pool.output(0)
        for sigmoid in uses(unet.logits)
        if sigmoid.get_type_name() == "Sigmoid"
        for pool in uses(sigmoid.output(0))
        if pools(pool, STRIDE)
    ]
    padded = [node.input_value(0) for node in network.get_ordered_ops() if node.get_type_name() == "Pad"]
    if not len(pooled) == len(padded) == 1 or not _is_image(padded[0]):
        return None
    return _Ends(pooled[0], padded[0])


def _is_image(value: ov.Output) -> bool:
    shape = value.get_partial_shape()
    return shape.rank.is_static and len(shape) == 5 and shape[1].is_static


def _combines_as_the_core(network: ov.Model) -> bool:
    tail = network.clone()
    unet = find_unet(tail)
    ends = _ends(tail, unet) if unet else None
    if unet is None or ends is None:
        return False
    labels = unet.head[0].shape[0]
    parameters = [
        replace_by_parameter(unet.logits, "logits"),
        replace_by_parameter(ends.spatial, "spatial"),
    ]
    generator = np.random.default_rng(0)
    local, spatial = (
        generator.normal(0, 4, (labels, *(length // stride for length in _PROBE_SIZE))).astype(np.float32)
        for stride in (1, STRIDE)
    )
    try:
        model = ov.Model(tail.get_results(), parameters, "combination")
        config = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        compiled = compile_model(model, config)
        expected = compiled([local[np.newaxis], spatial[np.newaxis]])[0]
    except RuntimeError:  # it needs other inputs, or other shapes
        return False
    found = local.copy()
    _core.combine(found, spatial, threads=1)
    return expected.shape == (1, *found.shape) and np.allclose(expected[0], found, rtol=0, atol=_PROBE_LIMIT)
