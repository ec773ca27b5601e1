"""The form of a network that TensorRT builds from: float16 written into the graph.

A bundle holds it beside the float32 graph, because it is checked where it is made: what a GPU builds from is
byte for byte what the export compared with the trained model, and a machine that builds engines needs
TensorRT and nothing else.

Channels are not padded to multiples of 8. Only those of images (1), of what the SCN stacks (4 and 5) and of
outputs (1, 2 and 5) would be; padding them in the graph takes as much memory (324.6 MB either way, 654.6
against 654.8 MB), and the engines grow by 2 and 4 % (TensorRT-RTX 1.7.1 for 8.0, 8.9 and 12.0, largest
sizes). No GPU has timed the two.
"""

from __future__ import annotations

import onnx_ir as ir

from .float16 import Float16Report, to_float16

__all__ = ["Float16Report", "for_tensorrt"]


def for_tensorrt(model: ir.Model) -> tuple[ir.Model, Float16Report]:
    """A copy of `model`, a float32 network, as TensorRT builds from: float16 in, inside and out.

    Bools and the shapes of inputs and outputs stay. Raises ExportError.
    """
    copy = model.clone()
    return copy, to_float16(copy)
