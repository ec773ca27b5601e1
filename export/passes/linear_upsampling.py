"""×2 linear upsampling built of shifts → one `Resize`.

Matches: every region of the graph that *computes* the linear half-pixel ×2 upsampling along z, y and x with
the edge repeated, however it is written. A region leads from one tensor to another through Slice, Pad,
Concat, Reshape, Transpose, sums, and products with constants.

Right because such a region is a linear operator, and linear operators that agree on a random volume agree
everywhere (`_upsampling`). `Resize` in mode linear with half_pixel coordinates is that operator: it clamps
neighbours to the edge, and its weights 1/4 and 3/4 are exact in every number format.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from ._upsampling import Upsampling, replace_upsamplings
from .graph_pass import GraphPass, initializer

LINEAR = Upsampling(factor=2, kernel=lambda x: max(0.0, 1.0 - abs(x)), support=1, smallest=2)


def _build(source: ir.Value, channels: int) -> list[ir.Node]:
    graph = source.graph
    assert graph is not None
    scales = initializer(graph, "upsampling_scales", np.array([1, 1, 2, 2, 2], np.float32))
    return [
        ir.node(
            "Resize",
            [source, None, scales],
            {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
        )
    ]


def apply(model: ir.Model) -> int:
    """Replace each ×2 linear upsampling; returns how many there were."""
    return replace_upsamplings(model, LINEAR, _build)


PASS = GraphPass(
    "linear upsampling",
    apply,
    frozenset({"Reshape"}),
    "an upsampling was not recognised and stays as it was written",
)
