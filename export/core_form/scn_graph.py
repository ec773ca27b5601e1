"""Find the parts of the SCN in its graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from efficientscn_trt import _core
from efficientscn_trt.backends.openvino_start import ov
from efficientscn_trt.bundle.core_form import STRIDES

from .other_form import NO_UNET, OtherForm
from .probe import computed_from
from .unet_graph import UNetGraph, find_unet, pools, uses

_PROBE_SIZE = (2, 2, 8)  # of the spatial logits
_PROBE_LIMIT = 1e-4
_PROBE_DEVIATION = 2  # of the logits: among larger ones are voxels whose probabilities all vanish


@dataclass(frozen=True)
class SpatialGraph:
    """The spatial network of one label, the labels whose local predictions it takes, and whether the image is
    before them.
    """

    label: int
    sees: tuple[int, ...]
    unet: UNetGraph
    image: bool


@dataclass(frozen=True)
class ScnGraph:
    """The U-Nets of an SCN. The spatial ones see the softmax of the local logits if `softmax`, else their
    sigmoids, pooled by `stride`. One of the channels is the `background`, or that is added at the end.
    """

    local: UNetGraph
    spatial: tuple[SpatialGraph, ...]
    stride: int
    softmax: bool
    background: bool


@dataclass(frozen=True)
class _Ends:
    """The inputs of the spatial networks, pooled by `stride`, and their joined logits before these are
    upsampled. The image may be none of the inputs.
    """

    image: ov.Output | None
    local: ov.Output
    logits: ov.Output
    stride: int
    softmax: bool


def find_scn(network: ov.Model) -> ScnGraph:
    """Return the parts of `network`, an SCN that combines its predictions as the core does.

    What follows the spatial logits is recognized by its results on a small random input. Raises OtherForm.
    """
    local, ends = _beginning(network)
    spatial = _spatial(network, ends)
    found = [each.label for each in spatial]
    missing = [str(label) for label in range(local.head[0].shape[0]) if label not in found]
    if missing:
        raise OtherForm(
            f"no U-Net of the paper's form, which sees only the image and local predictions, gives the "
            f"spatial logits of the channels {', '.join(missing)}"
        )
    return ScnGraph(local, spatial, ends.stride, ends.softmax, _combines_the_background(network))


def _beginning(network: ov.Model) -> tuple[UNetGraph, _Ends]:
    """The local U-Net, and where the spatial ones begin and end. Raises OtherForm."""
    local = find_unet(network.input(0))
    if local is None:
        raise OtherForm(NO_UNET)
    pooled = [
        (pool.output(0), stride, predicted.get_type_name() == "Softmax")
        for predicted in uses(local.logits)
        if predicted.get_type_name() == "Sigmoid" or _is_softmax(predicted)
        for pool in uses(predicted.output(0))
        for stride in STRIDES
        if pools(pool, stride)
    ]
    if len(pooled) != 1:
        strides = ", ".join(map(str, STRIDES))
        raise OtherForm(
            f"neither sigmoids nor the softmax of its local logits are pooled by one of {strides} voxels"
        )
    [(seen, stride, softmax)] = pooled
    images = [node.output(0) for node in uses(network.input(0)) if pools(node, stride)]
    padded = [node.input_value(0) for node in network.get_ordered_ops() if node.get_type_name() == "Pad"]
    if len(images) > 1 or len(padded) != 1 or not _joins_channels(padded[0].get_node()):
        raise OtherForm("the spatial logits are not joined and then upsampled cubically")
    return local, _Ends(images[0] if images else None, seen, padded[0], stride, softmax)


def _is_softmax(node: ov.Node) -> bool:
    """Whether `node` is a softmax over the channels."""
    return node.get_type_name() == "Softmax" and node.get_attributes()["axis"] in (1, -4)


def _spatial(network: ov.Model, ends: _Ends) -> tuple[SpatialGraph, ...]:
    """The spatial networks, in the order of their logits."""
    found: dict[int, SpatialGraph] = {}
    logits = _inputs(ends.logits.get_node())
    for node in network.get_ordered_ops():
        for value in node.outputs():
            seen = _seen(value, ends)
            unet = find_unet(value) if seen else None
            if seen and unet and unet.logits in logits:
                label = logits.index(unet.logits)
                found[label] = SpatialGraph(label, seen[1], unet, seen[0])
    return tuple(found[label] for label in sorted(found))


def _seen(value: ov.Output, ends: _Ends) -> tuple[bool, tuple[int, ...]] | None:
    """Whether `value` joins the image to local predictions, and to which labels'; None if it is neither."""
    node, channels = value.get_node(), value.get_partial_shape()[1:2]
    if _joins_channels(node):
        parts = [_channel(part) for part in _inputs(node)]
    elif channels == ov.PartialShape([1]):
        parts = [_channel(value)]
    else:
        return None
    image = parts[0] == (ends.image, 0)
    others = parts[1:] if image else parts
    if any(source != ends.local for source, _ in others):
        return None
    return image, tuple(channel for _, channel in others)


def _channel(value: ov.Output) -> tuple[ov.Output, int]:
    """The tensor that `value` was split from, and which of its channels it is."""
    node, channels = value.get_node(), value.get_partial_shape()[1]
    if node.get_type_name() != "Split" or channels.is_dynamic or channels.get_length() != 1:
        return value, 0
    return node.input_value(0), value.get_index()


def _joins_channels(node: ov.Node) -> bool:
    return node.get_type_name() == "Concat" and node.get_attributes()["axis"] in (1, -4)


def _inputs(node: ov.Node) -> list[ov.Output]:
    return [node.input_value(index) for index in range(node.get_input_size())]


def _combines_the_background(network: ov.Model) -> bool:
    """Whether the background is one of the channels that are combined, or is added to their probabilities.

    Raises OtherForm if the probabilities are not those of the core.
    """
    tail = network.clone()
    local, ends = _beginning(tail)
    labels = local.head[0].shape[0]
    generator = np.random.default_rng(0)
    values, spatial = (
        generator.normal(0, _PROBE_DEVIATION, (1, labels, *(scale * length for length in _PROBE_SIZE)))
        for scale in (ends.stride, 1)
    )
    values, spatial = values.astype(np.float32), spatial.astype(np.float32)
    expected = computed_from(tail, [(local.logits, values), (ends.logits, spatial)])
    for background in (True, False):
        found = np.concatenate([values[:, :1], values], axis=1)[0]
        rest = None if background else found[:1]
        _core.combine(found[1:], spatial[0], stride=ends.stride, background=rest, threads=1)
        found = found[1:] if background else found
        if _agree(expected, found):
            return background
    raise OtherForm("it combines the local and the spatial predictions otherwise than the paper")


def _agree(expected: np.ndarray | None, found: np.ndarray) -> bool:
    if expected is None or expected.shape[1:] != found.shape:
        return False
    return np.allclose(expected[0], found, rtol=0, atol=_PROBE_LIMIT)
