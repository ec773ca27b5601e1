"""PyTorch with the networks in their training form, on a GPU if there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from efficientscn_trt.measure.candidate import OwnPipeline
from efficientscn_trt.training.networks import SpatialConfigurationNet, localization_network
from efficientscn_trt.training.weights import from_arrays
from efficientscn_trt.triples import Size

from .in_own_pipeline import pipeline_with
from .networks_of_bundle import read_weights


def pytorch_pipeline(bundle: str, half: bool = False, threads: int = 0) -> OwnPipeline:
    """Run in float32, or with `half` in automatic mixed precision with float16, which needs a GPU."""
    if threads:
        torch.set_num_threads(threads)
    networks = _Networks(Path(bundle), half)
    pipeline = pipeline_with(networks, bundle, threads)
    place = torch.cuda.get_device_name() if networks.place.type == "cuda" else "CPU"
    pipeline.note = f"PyTorch {torch.__version__} on {place}, {'float16' if half else 'float32'}"
    return pipeline


class _Networks:
    device = "pytorch"

    def __init__(self, bundle: Path, half: bool) -> None:
        self.place = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.precision = "fp16" if half else "fp32"
        self.runtime = f"PyTorch {torch.__version__}"
        self._localization, self._segmentation = localization_network(), SpatialConfigurationNet()
        for name, network in (("localization", self._localization), ("segmentation", self._segmentation)):
            from_arrays(network, read_weights(name, bundle / f"{name}.onnx"))
            network.eval().to(self.place)

    def localize(self, image: np.ndarray) -> np.ndarray:
        logits = self._run(self._localization, image)
        return (logits[0, 0] < logits[0, 1]).cpu().numpy()

    def segment(self, image: np.ndarray) -> np.ndarray:
        return self._run(self._segmentation, image).probabilities[0].float().cpu().numpy()

    def bytes_for(self, network: str, size: Size) -> int:
        return 0  # not known

    def trim(self) -> None:
        torch.cuda.empty_cache()

    @torch.inference_mode()
    def _run(self, network: torch.nn.Module, image: np.ndarray) -> Any:
        with torch.autocast(self.place.type, torch.float16, enabled=self.precision == "fp16"):
            return network(torch.from_numpy(image)[None, None].to(self.place))
