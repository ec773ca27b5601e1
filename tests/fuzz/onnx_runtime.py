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
    """The output of the `network` for `image`. None if ONNX Runtime refuses it, or dies."""
    found: np.ndarray | None = _worker.ask((network, image))
    return found


def _run(request: tuple[bytes, np.ndarray]) -> Any:
    import onnxruntime

    network, image = request
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(network, options)
        [name] = [value.name for value in session.get_inputs()]
        return session.run(None, {name: image})[0]
    except Exception:  # each of its errors is a class of its own
        return None


if __name__ == "__main__":
    serve(_run)
