"""The weights of a bundle's networks by released checkpoint name, read back from their ONNX graphs.

So every bundle can be compared with its peers without the models that it was exported from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

from efficientscn_trt.export.reference.architecture import ScnArchitecture
from efficientscn_trt.export.reference.weights import check_weights

Weights = dict[str, np.ndarray]


def read_weights(network: str, file: Path) -> Weights:
    """Return the arrays of `network`, "localization" or "segmentation", with kernels as (z, y, x, in, out).

    Raises ExportError if the graph does not have that network's architecture.
    """
    graph = _Graph(onnx.load(str(file)).graph)
    ends = [node for node in graph.convolutions if graph.kernel(node).shape[2:] == (1, 1, 1)]
    if network == "localization":
        (end,) = ends
        named = _named("variables", graph.unet(end))
    else:
        (local,) = (node for node in ends if graph.kernel(node).shape[0] > 1)
        scn = ScnArchitecture(graph.kernel(local).shape[0])
        stacked = next(
            node for node in graph.nodes if node.op_type == "Concat" and _joins(graph, node, ends, scn.labels)
        )
        of_label = [graph.back(value, "Conv") for value in stacked.input]
        spatial = [array for label in scn.order for array in graph.unet(of_label[label])]
        named = _named("local_appearance/variables", graph.unet(local))
        named |= _named("spatial_configuration/variables", iter(spatial))
    return check_weights(network, named, str(file))


def _named(prefix: str, arrays: Iterator[np.ndarray]) -> Weights:
    return {f"{prefix}/{index}": array for index, array in enumerate(arrays)}


def _joins(graph: _Graph, node: onnx.NodeProto, ends: list[onnx.NodeProto], labels: int) -> bool:
    """Whether `node` concatenates the logits of the spatial networks."""
    producers = [graph.producer.get(value) for value in node.input]
    return len(producers) == labels and all(producer in ends for producer in producers)


class _Layer(NamedTuple):
    """A convolution: its inputs, one tensor or [skip, upsampled]; its kernel (out, in, z, y, x); its bias."""

    inputs: list[str]
    kernel: np.ndarray
    bias: np.ndarray


class _Graph:
    """A graph that is followed from its end to its beginning."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.nodes = list(graph.node)
        self.convolutions = [node for node in self.nodes if node.op_type == "Conv"]
        self.producer = {output: node for node in self.nodes for output in node.output}
        self._arrays = {tensor.name: tensor for tensor in graph.initializer}

    def kernel(self, node: onnx.NodeProto) -> np.ndarray:
        """Return the kernel of a convolution, (out, in, z, y, x)."""
        return numpy_helper.to_array(self._arrays[node.input[1]])

    def back(self, value: str, *kinds: str) -> onnx.NodeProto:
        """Return the nearest node of one of `kinds` before `value`, following first inputs."""
        node = self.producer[value]
        while node.op_type not in kinds:
            node = self.producer[node.input[0]]
        return node

    def unet(self, end: onnx.NodeProto) -> Iterator[np.ndarray]:
        """Yield the arrays, in checkpoint order, of the U-Net that ends in the 1×1×1 convolution `end`."""
        contracting: list[_Layer] = []
        expanding: list[_Layer] = []
        value = end.input[0]
        while True:
            block = self._block(value)
            expanding += block
            skip, *deeper = block[0].inputs
            contracting += self._block(skip)
            if not deeper:
                break
            (value,) = deeper
        for layer in (*contracting, *expanding, self._layer(end)):
            yield layer.kernel.transpose(2, 3, 4, 1, 0)
            yield layer.bias

    def _block(self, value: str) -> tuple[_Layer, _Layer]:
        """Return the two convolutions that lead to `value`."""
        second = self._layer(self.back(value, "Conv", "Add"))
        (between,) = second.inputs
        return self._layer(self.back(between, "Conv", "Add")), second

    def _layer(self, node: onnx.NodeProto) -> _Layer:
        """Return a convolution, written as one node or as the sum of two over [skip, upsampled]."""
        if node.op_type == "Add":
            of_skip, of_upsampled = (self.producer[value] for value in node.input)
            kernel = np.concatenate([self.kernel(of_skip), self.kernel(of_upsampled)], axis=1)
            return _Layer([of_skip.input[0], of_upsampled.input[0]], kernel, self._bias(of_upsampled))
        before = self.producer.get(node.input[0])
        inputs = list(node.input[:1])
        if before is not None and before.op_type == "Concat" and len(before.input) == 2:
            inputs = list(before.input)
        return _Layer(inputs, self.kernel(node), self._bias(node))

    def _bias(self, node: onnx.NodeProto) -> np.ndarray:
        return numpy_helper.to_array(self._arrays[node.input[2]])
