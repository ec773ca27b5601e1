"""ONNX Runtime on the plain conversion: the output of tf2onnx, without graph passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from efficientscn_trt.measure.candidate import OwnPipeline
from efficientscn_trt.triples import Size

from .in_own_pipeline import pipeline_with


def onnxruntime_pipeline(bundle: str, plain: str, threads: int = 0) -> OwnPipeline:
    """`plain` is the folder with localization.onnx and segmentation.onnx that `plain.convert` writes."""
    networks = _Networks(Path(plain), threads)
    pipeline = pipeline_with(networks, bundle, threads)
    pipeline.note = f"{networks.runtime}, float32"
    return pipeline


class _Networks:
    device, precision = "onnxruntime", "fp32"
    runtime = f"ONNX Runtime {onnxruntime.__version__}"

    def __init__(self, folder: Path, threads: int) -> None:
        self._localization = _session(folder / "localization.onnx", threads)
        self._segmentation = _session(folder / "segmentation.onnx", threads)

    def localize(self, image: np.ndarray) -> np.ndarray:
        return self._run(self._localization, image).reshape(image.shape)

    def segment(self, image: np.ndarray) -> np.ndarray:
        return self._run(self._segmentation, image)[0]

    def bytes_for(self, network: str, size: Size) -> int:
        return 0  # not known

    def trim(self) -> None:
        """Do nothing, because the sessions keep their memory."""

    @staticmethod
    def _run(session: Any, image: np.ndarray) -> np.ndarray:
        return session.run(None, {"image": image[np.newaxis, np.newaxis]})[0]


def _session(file: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
