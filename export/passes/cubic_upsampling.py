"""Cubic upsampling built of shifts → edge padding and, for each axis, a convolution and a shuffle.

Matches: every region of the graph that *computes* the cubic half-pixel upsampling by one of `FACTORS` with
A = −0.5 along z, y and x with the edge repeated, however it is written (see `linear_upsampling`). The
released network upsamples by 4.

ONNX's `Resize` has this operator, but TensorRT supports its cubic mode in 2-D only. Along an axis, output
f·i + p (phase p = 0…f − 1) is Σ_d w(d − (p + 0.5)/f + 0.5)·x[i + d] over |d| ≤ 2, where w is Keys' kernel.
That is a convolution with 5 taps, from each channel to one channel per phase. A shuffle then moves the phases
from the channels into the axis. It always takes the last axis, and then rotates the axes, so that it does not
need the sizes of the other axes, which are free.

A transposed convolution would do the same in one node, but TensorRT has few kernels for it in 3-D.
TensorRT-RTX before 1.5 crashed in grouped transposed convolutions (github.com/pytorch/TensorRT, pull requests
4188 and 4306), and TensorRT 10.15 finds no kernel for one of them on Blackwell (github.com/NVIDIA/TensorRT,
issue 4715). This pass avoids groups, too: the weights from one channel to another are zeros. There are only
as many channels as labels, so these zeros cost little.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import onnx_ir as ir

from ._upsampling import Upsampling, replace_upsamplings
from .graph_pass import WANTED, GraphPass, initializer

FACTORS = (2, 4, 8)
PADDING = 2
"""Voxels beyond the edge that a phase may use."""


def keys(x: float) -> float:
    """Keys' cubic convolution kernel with A = −0.5."""
    x = abs(x)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    return ((2.5 - 0.5 * x) * x - 4) * x + 2 if x < 2 else 0.0


def taps(factor: int) -> np.ndarray:
    """Weights of each phase, float32 [phase, tap]; for ×4, multiples of 1/1024, which float16 has exactly."""
    offsets = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]
    return np.array([[keys(tap - PADDING - offset) for tap in range(5)] for offset in offsets], np.float32)


def _build(source: ir.Value, channels: int, factor: int) -> list[ir.Node]:
    graph = source.graph
    assert graph is not None
    pads = np.array([0, 0, PADDING, PADDING, PADDING] * 2, np.int64)
    # Channel p·channels + c of a convolution is phase p of channel c.
    weights = np.einsum("pt,co->pcot", taps(factor), np.eye(channels, dtype=np.float32))
    kernel = initializer(graph, f"cubic_{factor}_{channels}", weights.reshape(-1, channels, 1, 1, 5))
    shape = initializer(graph, f"cubic_shape_{channels}", np.array([0, 0, 0, -1, channels], np.int64))
    nodes: list[ir.Node] = []

    def add(operator: str, *inputs: ir.Value, **attributes: Any) -> ir.Value:
        node = ir.node(operator, inputs, attributes)
        node.meta[WANTED] = True
        nodes.append(node)
        return node.outputs[0]

    value = add("Pad", source, initializer(graph, "cubic_padding", pads), mode="edge")
    for _ in "xyz":
        value = add("Conv", value, kernel, kernel_shape=[1, 1, 5])
        value = add("Transpose", value, perm=[0, 2, 3, 4, 1])
        value = add("Reshape", value, shape)
        value = add("Transpose", value, perm=[0, 4, 3, 1, 2])
    return nodes


def apply(model: ir.Model) -> int:
    """Replace each cubic upsampling by one of `FACTORS`; returns how many there were."""
    return sum(
        replace_upsamplings(model, Upsampling(factor, keys, 2, 3), partial(_build, factor=factor))
        for factor in FACTORS
    )


PASS = GraphPass(
    "cubic upsampling",
    apply,
    frozenset({"Reshape"}),
    "an upsampling was not recognised and stays as it was written",
)
