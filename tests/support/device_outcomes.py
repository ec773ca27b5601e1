"""The device's results for scans of every voxel type: the second network's input, labels and their counts.

python -m support.device_outcomes OUTPUT.npz SEED
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .device_scans import make_scan
from .fake_pipeline import FakePipeline, smooth_probabilities

DTYPES = (np.int16, np.uint8, np.uint16, np.int32, np.float32)
CASES = [(dtype, half) for dtype in DTYPES for half in (False, True)]


def name_of(dtype: Any, half: bool) -> str:
    return f"{np.dtype(dtype).name} {'float16' if half else 'float32'}"


def outcome(dtype: Any, half: bool, seed: int) -> dict[str, np.ndarray]:
    """Return the results by name. `seed`: see `FakePipeline`."""
    seen: list[np.ndarray] = []

    def remember(image: np.ndarray) -> np.ndarray:
        seen.append(image)
        return smooth_probabilities(image)

    device = FakePipeline(seed=seed, half=half, segmentation_function=remember)
    labels, run = device.segment(make_scan(12, (70, 90, 80), dtype), (2.0, 2.5, 2.0))
    return {"input": seen[0], "labels": labels, "counts": np.asarray(run.counts)}


def main() -> None:
    """Write the outcome of each case."""
    output, seed = sys.argv[1], int(sys.argv[2])
    arrays: dict[str, Any] = {
        f"{name_of(*case)} {name}": array for case in CASES for name, array in outcome(*case, seed).items()
    }
    np.savez(output, **arrays)


if __name__ == "__main__":
    main()
