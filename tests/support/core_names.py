"""Names of the compiled core."""

from __future__ import annotations

WITH_CUDA_ONLY = (
    "Arena",
    "CurrentDevice",
    "DeviceBlock",
    "DevicePipeline",
    "DeviceRun",
    "Stage",
    "read_device",
    "write_device",
)
"""Names that a build without CUDA does not have."""
