"""Imports TensorFlow only when it is needed, and silences its log."""

from __future__ import annotations

import importlib.util
import logging
import os
from typing import Any

from efficientscn_trt.errors import ExportError


def import_tensorflow() -> Any:
    """The module `tensorflow`. Raises ExportError if it or tf2onnx is not installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when the library is loaded
    missing = [name for name in ("tensorflow", "tf2onnx") if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"This command needs {' and '.join(missing)}, which the machine lacks; "
            "run: pip install 'efficientscn-trt[export]'"
        )
    import tensorflow

    for name in ("tensorflow", "tf2onnx", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return tensorflow
