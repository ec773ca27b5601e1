"""Find a U-Net in a network's graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from efficientscn_trt.backends.openvino_start import ov
from efficientscn_trt.bundle.core_form import FILTERS

Layer = tuple[np.ndarray, np.ndarray]
"""Kernel [output, input, z, y, x] and bias [output] of a convolution, float32."""

_TAPS = (3, 3, 3)


class _Other(Exception):
    """The graph does not have the expected form."""


@dataclass
class UNetGraph:
    """A U-Net in a network: its layers as the core takes them, and its logits in the graph."""

    logits: ov.Output
    head: Layer
    contracting: list[list[Layer]] = field(default_factory=list)
    expanding: list[list[Layer]] = field(default_factory=list)
    slope: float = 0.0

    @property
    def layers(self) -> list[Layer]:
        """All layers, in the order of `UNetForm.layers`."""
        blocks = self.contracting + self.expanding
        return [*(layer for block in blocks for layer in block), self.head]


def find_unet(source: ov.Output) -> UNetGraph | None:
    """Return the U-Net whose input is `source`; None if there is none.

    Each block is two 3×3×3 convolutions with LeakyReLU or ReLU. Between blocks are 2×2×2 average pooling and
    ×2 linear upsampling (paper, section 4.2). The skip is concatenated, or has a convolution of its own.
    """
    try:
        return _Search().unet(source)
    except _Other:
        return None


def pools(node: ov.Node, factor: int) -> bool:
    """Whether `node` averages blocks of `factor` voxels along each axis, without padding."""
    if node.get_type_name() != "AvgPool":
        return False
    attributes = node.get_attributes()
    padded = any([*attributes["pads_begin"], *attributes["pads_end"]])
    return list(attributes["kernel"]) == list(attributes["strides"]) == [factor] * 3 and not padded


class _Search:
    def __init__(self) -> None:
        self._slopes: set[float] = set()

    def unet(self, image: ov.Output) -> UNetGraph:
        contracting: list[list[Layer]] = []
        skips: list[ov.Output] = []
        value = image
        while True:
            block, skip = self._block(value)
            contracting.append(block)
            skips.append(skip)
            pooled = next((node for node in uses(skip) if pools(node, 2)), None)
            if pooled is None:
                break
            value = pooled.output(0)
        block, value = self._block(skips.pop())
        expanding = [block]
        for skip in reversed(skips):
            first, between = self._layer_of_both(skip, value)
            second, value = self._layer(between)
            expanding.insert(0, [first, second])
        head, logits = self._convolution(value, (1, 1, 1))
        filters = contracting[0][1][0].shape[0]
        kernels = [layer[0] for block in contracting + expanding for layer in block]
        if filters not in FILTERS or any(kernel.shape[0] != filters for kernel in kernels) or not skips:
            raise _Other
        if len(self._slopes) != 1:
            raise _Other
        return UNetGraph(logits, head, contracting, expanding, self._slopes.pop())

    def _block(self, source: ov.Output) -> tuple[list[Layer], ov.Output]:
        first, between = self._layer(source)
        second, result = self._layer(between)
        return [first, second], result

    def _layer(self, source: ov.Output) -> tuple[Layer, ov.Output]:
        layer, result = self._convolution(source, _TAPS)
        return layer, self._activated(result)

    def _layer_of_both(self, skip: ov.Output, small: ov.Output) -> tuple[Layer, ov.Output]:
        """The layer that takes [skip, upsampled], as one convolution or as the sum of two."""
        upsampled = _one(node for node in uses(small) if _doubles(node)).output(0)
        for node in uses(upsampled):
            if node.get_type_name() == "Concat":
                if node.get_attributes()["axis"] not in (1, -4) or _sources(node) != [skip, upsampled]:
                    raise _Other
                return self._layer(node.output(0))
        (kernel, bias), of_upsampled = self._convolution(upsampled, _TAPS)
        for node in uses(of_upsampled):
            for other in _sources(node):
                convolution = other.get_node()
                if node.get_type_name() == "Add" and _convolves(convolution, skip, _TAPS):
                    kernel = np.concatenate([_constant(convolution.input_value(1)), kernel], axis=1)
                    return (kernel, bias), self._activated(node.output(0))
        raise _Other

    def _convolution(self, source: ov.Output, taps: tuple[int, ...]) -> tuple[Layer, ov.Output]:
        """The convolution of `source` that has a bias."""
        for node in uses(source):
            if _convolves(node, source, taps):
                for added in uses(node.output(0)):
                    if added.get_type_name() == "Add" and (bias := _bias(added, node)) is not None:
                        return (_constant(node.input_value(1)), bias), added.output(0)
        raise _Other

    def _activated(self, value: ov.Output) -> ov.Output:
        node = _one(node for node in uses(value) if node.get_type_name() in ("PRelu", "Relu"))
        slopes = {0.0}
        if node.get_type_name() == "PRelu":
            slopes = set(_constant(node.input_value(1)).ravel().tolist())
        self._slopes |= slopes
        return node.output(0)


def uses(value: ov.Output) -> list[ov.Node]:
    """The nodes that use `value`."""
    return [use.get_node() for use in value.get_target_inputs()]


def _sources(node: ov.Node) -> list[ov.Output]:
    return [node.input_value(i) for i in range(node.get_input_size())]


def _one(nodes: Iterator[ov.Node]) -> ov.Node:
    found = list(nodes)
    if len(found) != 1:
        raise _Other
    return found[0]


def _constant(value: ov.Output) -> np.ndarray:
    node = value.get_node()
    while node.get_type_name() in ("Reshape", "Unsqueeze", "Convert"):
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Constant":
        raise _Other
    return np.asarray(node.get_data(), np.float32)


def _bias(added: ov.Node, convolution: ov.Node) -> np.ndarray | None:
    outputs = convolution.input_value(1).get_shape()[0]
    for value in _sources(added):
        if value.get_node() != convolution:
            try:
                bias = _constant(value)
            except _Other:
                return None
            shape = list(value.get_shape()) if value.get_partial_shape().is_static else []
            along_channels = ([1] * 5 + shape)[-5:] == [1, outputs, 1, 1, 1]
            return bias.reshape(-1) if along_channels else None
    return None


def _convolves(node: ov.Node, source: ov.Output, taps: tuple[int, ...]) -> bool:
    """Whether `node` is a convolution of `source` that keeps its size."""
    if node.get_type_name() != "Convolution" or node.input_value(0) != source:
        return False
    weights, attributes = node.input_value(1), node.get_attributes()
    if weights.get_node().get_type_name() != "Constant" or tuple(weights.get_shape()[2:]) != taps:
        return False
    edge = [size // 2 for size in taps]
    kept = attributes["auto_pad"] in ("same_upper", "same_lower") or (
        attributes["auto_pad"] in ("explicit", "notset")
        and list(attributes["pads_begin"]) == list(attributes["pads_end"]) == edge
    )
    return kept and list(attributes["strides"]) == list(attributes["dilations"]) == [1, 1, 1]


def _doubles(node: ov.Node) -> bool:
    """Whether `node` is a linear upsampling by two, at half-pixel positions."""
    if node.get_type_name() != "Interpolate":
        return False
    attributes = node.get_attributes()
    if attributes["mode"] not in ("linear", "linear_onnx") or attributes["antialias"]:
        return False
    if attributes["coordinate_transformation_mode"] != "half_pixel":
        return False
    if attributes["shape_calculation_mode"] != "scales":
        return False
    factors = dict(zip(_axes(node), _constant(node.input_value(1)).tolist(), strict=True))
    return {axis: factor for axis, factor in factors.items() if factor != 1} == {2: 2, 3: 2, 4: 2}


def _axes(node: ov.Node) -> list[int]:
    if node.get_input_size() < 3:
        return list(range(5))
    return [int(axis) for axis in _constant(node.input_value(2))]
