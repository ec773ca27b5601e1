"""×4 cubic upsampling built of shifts → edge padding and one `ConvTranspose` an axis.

Matches: every region of the graph that *computes* the cubic half-pixel ×4 upsampling with A = −0.5 along z, y
and x with the edge repeated, however it is written (see `linear_upsampling`).

ONNX's `Resize` has this operator, but TensorRT takes its cubic mode in 2-D only. The form here is taken by
all targets. Along an axis, output 4·i + p (phase p = 0…3) is Σ_d w(d − (p − 1.5)/4)·x[i + d] over |d| ≤ 2,
where w is Keys' kernel. A transposed convolution of stride 4 adds x[j]·k[t] to output 4·j + t − crop, so
k[t] = w((t + 0.5)/4 − 2): 16 taps, because w ends at 2, and a crop of 6; the padding by 2 adds 8 to it.

The kernels from one channel to another are zeros, not left out by a group a channel: TensorRT has few kernels
for grouped transposed convolutions in 3-D, none of them for tensor cores, and TensorRT-RTX before 1.5 crashed
in them (github.com/pytorch/TensorRT, pull requests 4188 and 4306). There are as many channels as labels, so
the zeros cost next to nothing.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from ._upsampling import Upsampling, replace_upsamplings
from .graph_pass import GraphPass, initializer

FACTOR = 4
PADDING = 2
"""Voxels that a phase may look past the edge."""


def keys(x: float) -> float:
    """Keys' cubic convolution kernel with A = −0.5."""
    x = abs(x)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    return ((2.5 - 0.5 * x) * x - 4) * x + 2 if x < 2 else 0.0


CUBIC = Upsampling(factor=FACTOR, kernel=keys, support=2, smallest=3)

TAPS = np.array([keys((tap + 0.5) / FACTOR - 2) for tap in range(4 * FACTOR)], np.float32)
"""Along one axis; multiples of 1/1024, so exact in float16 too."""


def _build(source: ir.Value, channels: int) -> list[ir.Node]:
    graph = source.graph
    assert graph is not None
    pads = np.array([0, 0, PADDING, PADDING, PADDING] * 2, np.int64)
    nodes = [ir.node("Pad", [source, initializer(graph, "cubic_padding", pads)], {"mode": "edge"})]
    crop = 6 + FACTOR * PADDING
    for axis, name in enumerate("zyx"):
        shape = [1, 1, 1]
        shape[axis] = len(TAPS)
        kernel = np.eye(channels, dtype=np.float32)[:, :, None, None, None] * TAPS.reshape(shape)
        nodes.append(
            ir.node(
                "ConvTranspose",
                [nodes[-1].outputs[0], initializer(graph, f"cubic_{name}_{channels}", kernel)],
                {
                    "kernel_shape": shape,
                    "strides": [FACTOR if i == axis else 1 for i in range(3)],
                    "pads": [crop if i == axis else 0 for i in range(3)] * 2,
                },
            )
        )
    return nodes


def apply(model: ir.Model) -> int:
    """Replace each ×4 cubic upsampling; returns how many there were."""
    return replace_upsamplings(model, CUBIC, _build)


PASS = GraphPass(
    "cubic upsampling",
    apply,
    frozenset({"Reshape"}),
    "an upsampling was not recognised and stays as it was written",
)
