"""A bundle: a folder with two ONNX networks and `manifest.json`, which holds every number of the pipeline.

`load` reads and verifies one, `write` makes one, `sign` says who made it.
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
from .signing import sign, verify_engines
from .trust import ANYONE, PublicKey, SigningKey, TrustedKeys
from .writer import NetworkSource, write

__all__ = [
    "ANYONE",
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
    "PublicKey",
    "SegmentationParameters",
    "SigningKey",
    "Tensor",
    "TrustedKeys",
    "UnknownSpacing",
    "Verification",
    "load",
    "sha256",
    "sign",
    "verify_engines",
    "write",
]
