"""ONNX Runtime as another runtime of networks, in a process of its own, because some make it die."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.worker import Worker, serve

_worker = Worker(__file__, seconds=10)


def by_onnx_runtime(network: bytes, image: np.ndarray) -> np.ndarray | None:
    """The output of the `network` for `image`.

    None if ONNX Runtime refuses it or dies, or if a value on the way is not finite: runtimes compare and
    convert such values differently, and OpenVINO's logarithm of a negative number is not NaN.
    """
    found: np.ndarray | None = _worker.ask((network, image))
    return found


def _run(request: tuple[bytes, np.ndarray]) -> Any:
    import onnx
    import onnxruntime

    network, image = request
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        model = onnx.load_from_string(network)
        [result] = [value.name for value in model.graph.output]
        between = {name for node in model.graph.node for name in node.output} - {result, ""}
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in between)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        [name] = [value.name for value in session.get_inputs()]
        values = session.run(None, {name: image})
    except Exception:  # each of its errors is a class of its own
        return None
    arrays = [np.asarray(value) for value in values if not isinstance(value, list | dict)]
    finite = all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f")
    return values[0] if finite else None


if __name__ == "__main__":
    serve(_run)
