"""The HU that a picture shows, and how they become grey."""

from __future__ import annotations

import numpy as np

WINDOW_HU, LEVEL_HU = 400.0, 40.0  # soft tissue
LOW_HU, HIGH_HU = LEVEL_HU - WINDOW_HU / 2, LEVEL_HU + WINDOW_HU / 2
DESCRIPTION = f"window {WINDOW_HU:.0f} HU, level {LEVEL_HU:.0f} HU"


def grey(hu: np.ndarray) -> np.ndarray:
    """`hu` as grey levels, uint8: 0 for all below the window, 255 for all above it."""
    shown = np.clip(hu.astype(np.float32), LOW_HU, HIGH_HU) - LOW_HU
    return np.rint(shown * (255 / WINDOW_HU)).astype(np.uint8)
