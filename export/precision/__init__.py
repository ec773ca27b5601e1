"""The form of a network that TensorRT builds from: float16 written into the graph.

A bundle holds this form beside the float32 graph for two reasons. TensorRT builds from exactly the bytes that
the export compared with the trained model. A machine that builds engines needs TensorRT and nothing else.

Channels are not padded to multiples of 8. Padding would concern only the channels of images (1), of the SCN's
stacked inputs (4 and 5) and of outputs (1, 2 and 5). Padding them in the graph takes as much memory (324.6 MB
either way, 654.6 against 654.8 MB), and the engines grow by 2 and 4 % (TensorRT-RTX 1.7.1 for compute
capabilities 8.0, 8.9 and 12.0, largest sizes). The two have not been timed on a GPU.
"""

from __future__ import annotations

import onnx_ir as ir

from .float16 import Float16Report, to_float16

__all__ = ["Float16Report", "for_tensorrt"]


def for_tensorrt(model: ir.Model) -> tuple[ir.Model, Float16Report]:
    """Return a float16 copy of the float32 network `model`, which TensorRT builds from, and a report.

    Bools, and the shapes of inputs and outputs, stay.
    """
    copy = model.clone()
    return copy, to_float16(copy)
