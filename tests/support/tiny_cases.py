"""Training cases of a few voxels: blocks and balls of distinct HU in fat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

SPACING = 2.0
HU = (-90.0, 80.0, 180.0, 130.0, 30.0)


def tiny_case(seed: int, size: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """HU int16 and labels uint8, [z, y, x]: a block, two balls, a ball and a bar, with a little noise."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices((size, size, size)) - (size - 1) / 2 + rng.uniform(-1.5, 1.5, (3, 1, 1, 1))
    labels = np.zeros((size, size, size), np.uint8)
    labels[(abs(z) < 11) & (abs(y + 4) < 7) & (abs(x + 6) < 6)] = 1
    for side in (-6.5, 6.5):
        labels[np.sqrt((z + 5) ** 2 + (y - 6.5) ** 2 + (x - side) ** 2) < 5.5] = 2
    labels[np.sqrt((z - 6) ** 2 + (y - 5) ** 2 + (x - 6) ** 2) < 6] = 3
    labels[(abs(z + 4) < 5) & (abs(y + 7) < 4) & (abs(x - 6) < 6)] = 4
    hu = np.take(HU, labels) + rng.normal(0, 8, labels.shape)
    return hu.astype(np.int16), labels


def write_case(
    folder: Path,
    name: str,
    hu: np.ndarray,
    labels: np.ndarray,
    direction: int = 1,
    spacing: float = SPACING,
) -> None:
    """Write images/NAME.nii.gz and labels/NAME.nii.gz; `direction` −1 stores x and y flipped."""
    for kind, array in (("images", hu), ("labels", labels)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        image = sitk.GetImageFromArray(array[:, ::direction, ::direction])
        image.SetSpacing((spacing,) * 3)
        image.SetDirection((direction, 0, 0, 0, direction, 0, 0, 0, 1))
        sitk.WriteImage(image, str(folder / kind / f"{name}.nii.gz"))
