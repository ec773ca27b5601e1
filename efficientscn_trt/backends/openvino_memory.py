"""Rewrite an SCN of fixed size for OpenVINO, so that two tensors of full resolution exist at once, not three.

At 96×128×160 in float32 such a tensor takes 240 MiB. Results differ only by the order of sums.

1. OpenVINO runs the convolution of a U-Net's skip last, while the skip, the upsampled tensor and the sum of
   their convolutions all exist. If it runs early, its result replaces the skip. OpenVINO runs a node early if
   other nodes depend on it. So one voxel of the result, times zero, is added to the output of every other
   node that uses the skip.
2. OpenVINO packs tensors by first fit, and tensors of one size in no fixed order. Four full-resolution
   tensors, one after the other, would undo the gain. So the first of the four is computed slab by slab, and
   never exists in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .openvino_start import op, ov

KERNEL = (3, 3, 3)
SLABS = 8


@dataclass(frozen=True)
class _Layer:
    """Convolution of `source` with `weights`, bias and PReLU."""

    source: ov.Output
    weights: ov.Output
    bias: ov.Output
    slope: ov.Output

    def of(self, source: ov.Output, before: int, after: int) -> ov.Output:
        """Apply the layer to `source`, with `before` and `after` planes of zeros along z."""
        ones = [1, 1, 1]
        found = op.convolution(source, self.weights, ones, [before, 1, 1], [after, 1, 1], ones)
        return op.prelu(op.add(found, self.bias), self.slope).output(0)


@dataclass(frozen=True)
class _Skip:
    """The sum of a convolution of the skip and one of the upsampled tensor, made by `split_convolution`."""

    total: ov.Node
    of_skip: ov.Output
    of_upsampled: ov.Output
    skip: ov.Output


def reduce_memory(network: ov.Model) -> bool:
    """Rewrite `network`, of static shape, in place. Return whether it has the form that can be rewritten."""
    site = next((site for node in network.get_ordered_ops() if (site := _skip(node))), None)
    second = _layer(site.skip) if site else None
    first = _layer(second.source) if second else None
    if site is None or second is None or first is None:
        return False
    _make_early(site)
    _make_in_slabs(first, second, site.skip)
    network.validate_nodes_and_infer_types()
    return True


def _make_early(site: _Skip) -> None:
    onward = [use.get_node() for use in site.skip.get_target_inputs()]
    # The sum is written over its second input, which must be the one that exists already.
    site.total.input(0).replace_source_output(site.of_upsampled)
    site.total.input(1).replace_source_output(site.of_skip)
    voxel = op.slice(site.of_skip, _ints(0, 0, 0), _ints(1, 1, 1), _ints(1, 1, 1), _ints(2, 3, 4))
    nothing = op.multiply(voxel, op.constant(np.float32(0)))
    for node in onward:
        if node != site.of_skip.get_node():
            uses = list(node.output(0).get_target_inputs())
            ordered = op.add(node.output(0), nothing)
            for use in uses:
                use.replace_source_output(ordered.output(0))


def _make_in_slabs(first: _Layer, second: _Layer, result: ov.Output) -> None:
    planes = int(result.get_shape()[2])
    edges = [planes * i // SLABS for i in range(SLABS + 1)]
    slabs = []
    for start, stop in pairwise(edges):
        # Each 3×3×3 convolution reads one more plane on either side, or zeros at the edge.
        inner = max(start - 1, 0), min(stop + 1, planes)
        outer = max(inner[0] - 1, 0), min(inner[1] + 1, planes)
        part = op.slice(first.source, _ints(outer[0]), _ints(outer[1]), _ints(1), _ints(2))
        part = first.of(part.output(0), int(inner[0] == 0), int(inner[1] == planes))
        slabs.append(second.of(part, int(start == 0), int(stop == planes)))
    uses = list(result.get_target_inputs())
    whole = op.concat(slabs, 2)
    for use in uses:
        use.replace_source_output(whole.output(0))


def _skip(total: ov.Node) -> _Skip | None:
    parts = [total.input_value(i) for i in range(total.get_input_size())]
    if total.get_type_name() != "Add" or not all(map(_convolved, parts)):
        return None
    sources = [_convolved(part) for part in parts]
    for index, source in enumerate(sources):
        other = sources[1 - index]
        if source and other and len(source.get_target_inputs()) > 1 and len(other.get_target_inputs()) == 1:
            return _Skip(total, parts[index], parts[1 - index], source)
    return None


def _convolved(value: ov.Output) -> ov.Output | None:
    """The input of the convolution that makes `value`, with or without a bias; None if there is none."""
    node = value.get_node()
    if node.get_type_name() == "Add":
        node = node.input_value(0).get_node()
    return node.input_value(0) if node.get_type_name() == "Convolution" else None


def _layer(value: ov.Output) -> _Layer | None:
    activation = value.get_node()
    if activation.get_type_name() != "PRelu":
        return None
    biased = activation.input_value(0).get_node()
    convolution = biased.input_value(0).get_node() if biased.get_type_name() == "Add" else biased
    if convolution.get_type_name() != "Convolution" or convolution is biased:
        return None
    source, weights = convolution.input_value(0), convolution.input_value(1)
    usual = (
        tuple(weights.get_shape())[2:] == KERNEL
        and list(source.get_shape())[2:] == list(value.get_shape())[2:]
    )
    bias, slope = biased.input_value(1), activation.input_value(1)
    return _Layer(source, weights, bias, slope) if usual else None


def _ints(*values: int) -> ov.Node:
    return op.constant(np.array(values, np.int64))
