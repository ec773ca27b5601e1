"""Networks that are not those of a bundle, and some that OpenVINO does not survive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from efficientscn_trt import bundle as bundles

from .tiny_bundle import write_tiny_bundle

_IMAGE = (1, 1, "z", "y", "x")
_OPSET = 18


def five(last: str = "output", source: str = "image") -> NodeProto:
    """Makes five channels of one."""
    return helper.make_node("Concat", [source] * 5, [last], axis=1)


def network(
    *nodes: NodeProto,
    shape: Sequence[int | str] = _IMAGE,
    element: int = TensorProto.FLOAT,
    result: int = TensorProto.FLOAT,
    inputs: Sequence[str] = ("image",),
    outputs: Sequence[str] = ("output",),
    **constants: Any,
) -> bytes:
    """A network of these nodes, as an ONNX file."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(name, element, shape) for name in inputs],
        [helper.make_tensor_value_info(name, result, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


def _after(*nodes: NodeProto, **constants: Any) -> bytes:
    return network(*nodes, five(source="between"), **constants)


#: OpenVINO 2026.4 dies of them by SIGSEGV.
DEADLY = {
    "Pad without pads": _after(helper.make_node("Pad", ["image"], ["between"])),
    "pooling of nothing": _after(helper.make_node("GlobalAveragePool", [], ["between"])),
    "sum of nothing": _after(helper.make_node("Sum", [], ["between"])),
}


def _endless() -> bytes:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["sum", "one"], ["more"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("more", TensorProto.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["turns", "", "five"], ["output"], body=body)
    return network(five("five"), loop, turns=np.int64(2**62), one=np.float32(1))


ENDLESS = _endless()
"""It would take OpenVINO thousands of years."""


def write_bundle_with(path: Path, **networks: bytes) -> bundles.Bundle:
    """Write the bundle of `tiny_bundle` with other networks, "localization" or "segmentation"."""
    manifest = write_tiny_bundle(path).manifest
    right = {name: getattr(manifest.networks, name) for name in networks}
    sources = {
        name: bundles.NetworkSource(content, _OPSET, 0, right[name].input, right[name].output)
        for name, content in networks.items()
    }
    return write_tiny_bundle(path, **sources)
