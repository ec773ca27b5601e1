"""Scans for the device pipeline, and arrays on a GPU without another library."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from efficientscn_trt import _core

SPACING = (4.0, 3.5, 5.0)


def make_scan(seed: int, size: tuple[int, int, int], dtype: Any = np.int16) -> np.ndarray:
    """Noise around a bright block that the localization finds, in HU clipped to the range of `dtype`."""
    rng = np.random.default_rng(seed)
    scan = rng.normal(-600, 200, size)
    block = tuple(slice(extent // 4, max(extent // 4 + 1, extent // 2)) for extent in size)
    scan[block] = rng.normal(150, 60, scan[block].shape)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        scan = np.clip(scan, limits.min, limits.max)
    return scan.astype(dtype)


def on_gpu(array: np.ndarray, device: int = 0, **changes: Any) -> Any:
    """Copy `array` to a GPU in its memory order, and expose it as other libraries do, with `changes`."""
    dense = array.copy(order="K")
    with _core.CurrentDevice(device):
        block = _core.DeviceBlock(dense.nbytes, device)
        _core.write_device(block.address, dense.ravel(order="K").view(np.uint8))
    interface = {
        "version": 3,
        "shape": dense.shape,
        "typestr": dense.dtype.str,
        "data": (block.address, False),
        "strides": dense.strides,
        "stream": None,
    }
    return SimpleNamespace(__cuda_array_interface__=interface | changes, owner=block)
