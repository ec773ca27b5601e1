"""A bundle: a folder with two ONNX networks and `manifest.json`, which holds every number of the pipeline.

`load` reads and verifies one, `write` makes one.
"""

from __future__ import annotations

from .manifest import (
    MANIFEST,
    NETWORKS,
    SCHEMA_VERSION,
    ActivationMemory,
    Engine,
    LocalizationParameters,
    Manifest,
    PipelineParameters,
    Profile,
    SegmentationParameters,
    Tensor,
    UnknownSpacing,
    Verification,
)
from .reader import Bundle, load, sha256
from .writer import NetworkSource, write

__all__ = [
    "MANIFEST",
    "NETWORKS",
    "SCHEMA_VERSION",
    "ActivationMemory",
    "Bundle",
    "Engine",
    "LocalizationParameters",
    "Manifest",
    "NetworkSource",
    "PipelineParameters",
    "Profile",
    "SegmentationParameters",
    "Tensor",
    "UnknownSpacing",
    "Verification",
    "load",
    "sha256",
    "write",
]
