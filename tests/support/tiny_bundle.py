"""A bundle whose networks are HU thresholds, so that a test knows what must come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from efficientscn_trt import bundle as bundles

LABELS = ("background", "liver", "kidneys", "spleen", "pancreas")
#: A voxel gets the label with the nearest HU.
LABEL_HU = (0.0, 100.0, 200.0, 300.0, 400.0)
ORGAN_HU = 50.0
_SCALE = 2048.0
_OPSET = 18


def write_tiny_bundle(path: Path, **changes: Any) -> bundles.Bundle:
    """Write the bundle; `changes` replace arguments of `bundle.write`."""
    arguments: dict[str, Any] = {
        "name": "thresholds",
        "description": "HU thresholds, for tests",
        "labels": LABELS,
        "pipeline": bundles.PipelineParameters(),
        "localization": _source(_localization(), bundles.Tensor("mask", "bool", (1, "z", "y", "x"))),
        "segmentation": _source(
            _segmentation(), bundles.Tensor("probabilities", "float32", (1, len(LABELS), "z", "y", "x"))
        ),
        "provenance": {},
    }
    return bundles.write(path, **(arguments | changes))


def _source(model: ModelProto, output: bundles.Tensor) -> bundles.NetworkSource:
    return bundles.NetworkSource(
        content=model.SerializeToString(),
        opset=_OPSET,
        parameters=0,
        input=bundles.Tensor("image", "float32", (1, 1, "z", "y", "x")),
        output=output,
    )


def _localization() -> ModelProto:
    """True where a voxel is denser than ORGAN_HU."""
    nodes = [
        helper.make_node("Greater", ["image", "threshold"], ["organ"]),
        helper.make_node("Squeeze", ["organ", "axis"], ["mask"]),
    ]
    output = helper.make_tensor_value_info("mask", TensorProto.BOOL, [1, "z", "y", "x"])
    constants = {"threshold": np.float32(ORGAN_HU / _SCALE), "axis": np.array([1], np.int64)}
    return _model(nodes, output, constants)


def _segmentation() -> ModelProto:
    """Softmax over the distances to LABEL_HU."""
    nodes = [
        helper.make_node("Sub", ["image", "centres"], ["offset"]),
        helper.make_node("Abs", ["offset"], ["distance"]),
        helper.make_node("Mul", ["distance", "steepness"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    output = helper.make_tensor_value_info(
        "probabilities", TensorProto.FLOAT, [1, len(LABELS), "z", "y", "x"]
    )
    centres = (np.array(LABEL_HU, np.float32) / _SCALE).reshape(1, -1, 1, 1, 1)
    return _model(nodes, output, {"centres": centres, "steepness": np.float32(-_SCALE / 25)})


def _model(nodes: list[Any], output: Any, constants: dict[str, np.ndarray | np.generic]) -> ModelProto:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, "z", "y", "x"])
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "thresholds", [image], [output], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
