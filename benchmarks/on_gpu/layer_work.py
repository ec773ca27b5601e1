"""The work of a network's layers, counted in its ONNX file. Needs OpenVINO, so not for the GPU machine.

A layer is a convolution, a pooling or an upsampling, with the operations after it that need no neighbours:
biases, activations, sums, the SCN's combination. It reads each of its inputs once, and writes each output
once that another layer reads. Values used only inside the layer cost nothing. Concatenating and padding cost
nothing either, because the layers that read the result count it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from efficientscn_trt.measure.convolutions import CONVOLUTIONS, multiply_adds_of, operations
from on_gpu.work import LayerWork, NetworkWork, Size

_LAYERS = (*CONVOLUTIONS, "AvgPool", "Interpolate")
_MOVING = ("Concat", "Pad")

Tensor = tuple[str, int]


@dataclass
class _Layer:
    name: str
    kind: str
    multiply_adds: int = 0
    weights: int = 0
    reads: dict[Tensor, int] = field(default_factory=dict)
    writes: dict[Tensor, int] = field(default_factory=dict)


def network_work(onnx: Path, size: Size) -> NetworkWork:
    """Return the work of a bundle's network, a float32 file `onnx`, for an input of `size` (z, y, x)."""
    layers: list[_Layer] = []
    maker: dict[str, int | None] = {}  # the layer of each operation on the image's data
    ends = 0
    for node in operations(onnx, size):
        kind, name = node.get_type_name(), node.get_name()
        inputs = [source.get_source_output() for source in node.inputs()]
        data = [tensor for tensor in inputs if tensor.get_node().get_name() in maker]
        if kind == "Parameter":
            maker[name] = None
            ends += _values(node.output(0))
        elif kind == "Result":
            ends += _values(inputs[0])
            _read(data, None, layers, maker)
        elif data and kind != "ShapeOf":
            index = None if kind in _MOVING else _layer_of(node, kind, data, layers, maker)
            _read(data, index, layers, maker)
            maker[name] = index
            if index is not None and kind in CONVOLUTIONS:
                layers[index].weights += _values(inputs[1])
    return NetworkWork(size, tuple(_counted(layer) for layer in layers), ends)


def _layer_of(
    node: Any, kind: str, data: list[Any], layers: list[_Layer], maker: dict[str, int | None]
) -> int:
    """Return the index of the node's layer: a new one, or without neighbours the last one that it reads."""
    makers = [maker[tensor.get_node().get_name()] for tensor in data]
    found = [index for index in makers if index is not None]
    if kind not in _LAYERS and found:
        return max(found)
    name = node.get_friendly_name().removesuffix("/WithoutBiases")
    layers.append(_Layer(name, kind, multiply_adds_of(node)))
    return len(layers) - 1


def _read(data: list[Any], index: int | None, layers: list[_Layer], maker: dict[str, int | None]) -> None:
    """Count data from another layer as written by that layer and read by the layer `index`."""
    for tensor in data:
        key = (tensor.get_node().get_name(), tensor.get_index())
        source = maker[key[0]]
        if source != index or source is None:
            if source is not None:
                layers[source].writes[key] = _values(tensor)
            if index is not None:
                layers[index].reads[key] = _values(tensor)


def _counted(layer: _Layer) -> LayerWork:
    moved = sum(layer.reads.values()) + sum(layer.writes.values())
    return LayerWork(layer.name, layer.kind, layer.multiply_adds, moved, layer.weights)


def _values(tensor: Any) -> int:
    return int(np.prod(list(tensor.get_shape())))
