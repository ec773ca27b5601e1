"""A bundle's engines as a build writes them, with networks in NumPy, and the backend that runs them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from efficientscn_trt.backends.tensorrt import TensorRTBackend
from efficientscn_trt.bundle import Bundle, Engine, Profile
from efficientscn_trt.engines import EngineChoice, Gpu

from .fake_memory import Memory
from .fake_pipeline import mask_shape, probabilities_shape
from .fake_runtime import fake_runtime
from .tiny_bundle import LABEL_HU, ORGAN_HU

_SIZES = Profile((32, 32, 32), (64, 64, 64), (256, 160, 160))


def organ_mask(image: np.ndarray) -> np.ndarray:
    """The tiny bundle's localization network."""
    return image > ORGAN_HU / 2048


def nearest_label(image: np.ndarray) -> np.ndarray:
    """The tiny bundle's segmentation network."""
    centres = (np.array(LABEL_HU, np.float32) / 2048).reshape(1, -1, 1, 1, 1)
    logits = np.abs(image - centres) * np.float32(-2048 / 25)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def write_engines(
    folder: Path, version: str, flavour: str = "tensorrt", memory: Memory | None = None
) -> tuple[EngineChoice, Any]:
    """The choice of two engines in `folder`, and the TensorRT module that loads them."""
    trt = fake_runtime(version, memory)
    records = {}
    networks: dict[str, tuple[Callable[[np.ndarray], np.ndarray], dict[str, Any]]] = {
        "localization": (organ_mask, {"output": "BOOL", "output_shape": mask_shape}),
        "segmentation": (nearest_label, {"output_shape": probabilities_shape}),
    }
    for network, (function, options) in networks.items():
        plan = f"{network} {version} {folder}".encode()
        trt.plans[plan] = lambda function=function, options=options: trt.engine(
            function, activation=lambda shape: 64 * shape[2], **options
        )
        (folder / f"{network}.engine").write_bytes(plan)
        digest = hashlib.sha256(plan).hexdigest()
        records[network] = Engine(
            network=network,
            flavour=flavour,
            version=version,
            platform="here",
            compute_capabilities=("9.0",),
            precision="fp32",
            profiles=(_SIZES,),
            onnx_sha256="",
            file=f"{network}.engine",
            sha256=digest,
            bytes=len(plan),
            activation_memory=None,
        )
    return EngineChoice(flavour, version, "fp32", folder, **records), trt


def gpu_backend(bundle: Bundle, choice: EngineChoice, trt: Any) -> TensorRTBackend:
    """Return the backend of the first GPU."""
    return TensorRTBackend(bundle, choice, trt, 2, Gpu(0, "Test RTX 1", "9.0", 80 << 30))
