"""Small made-up scans in HU whose labels under the thresholds bundle are known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .tiny_bundle import LABEL_HU

#: (start, stop) in voxels (z, y, x) of the block of each foreground label.
BLOCKS = {
    1: ((6, 8, 6), (22, 24, 20)),
    2: ((8, 30, 24), (20, 40, 36)),
    3: ((16, 10, 38), (28, 22, 50)),
    4: ((20, 26, 10), (28, 34, 22)),
}
SIZE_ZYX = (34, 45, 57)
SPACING_XYZ = (4.0, 3.5, 5.0)


def block_array(dtype: type[np.generic] = np.int16) -> np.ndarray:
    """[z, y, x]: air, a body of 0 HU, and a block of every label's HU; no flip leaves it the same."""
    array = np.full(SIZE_ZYX, -1000, np.float64)
    array[2:-2, 3:-4, 2:-3] = 0
    for label, (start, stop) in BLOCKS.items():
        array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = LABEL_HU[label]
    return array.astype(dtype)


def block_image(dtype: type[np.generic] = np.int16) -> sitk.Image:
    """`block_array` as an image with LPS axes and an origin of its own."""
    image = sitk.GetImageFromArray(block_array(dtype))
    image.SetSpacing(SPACING_XYZ)
    image.SetOrigin((-101.25, 33.1, -700.7))
    return image


def block_labels() -> np.ndarray:
    """The label that each voxel of `block_array` was made with, uint8 [z, y, x]."""
    labels = np.zeros(SIZE_ZYX, np.uint8)
    for label, (start, stop) in BLOCKS.items():
        labels[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = label
    return labels


def write_different(folder: Path, names: Iterable[str]) -> None:
    """Write `block_image` as .nii.gz under each of `names`, each shifted by one voxel more along x."""
    for number, name in enumerate(names):
        image = sitk.GetImageFromArray(np.roll(block_array(), number, axis=2))
        image.CopyInformation(block_image())
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
