"""Which part of a case a training step sees: a size as in inference, or a random crop for quick work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from efficientscn_trt.bundle import SegmentationParameters
from efficientscn_trt.triples import Size

from .augment import Augmentation, sample
from .prepare import PreparedCase

# The paper moves each side of the ground truth's box outwards by 0 to 16 voxels of 2 mm (section 2.1).
BOX_MARGIN_MM = 32.0


def valid_size(count: Sequence[int]) -> Size:
    """For each axis, the SCN's smallest valid size strictly larger than `count` voxels, else its largest."""
    z, y, x = (
        next((size for size in sizes if size > n), sizes[-1])
        for n, sizes in zip(count, SegmentationParameters().valid_sizes, strict=True)
    )
    return z, y, x


def draw_sample(
    case: PreparedCase,
    network: str,
    crops: Sequence[Size],
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Input (1, 1, z, y, x) and labels (1, z, y, x) of one training step."""
    z, y, x = case.values.shape
    size, center = (z, y, x), np.asarray(case.values.shape) / 2
    if network == "segmentation":
        first, last = case.box
        margin = BOX_MARGIN_MM / case.spacing
        low = np.asarray(first) - rng.uniform(0, margin, 3)
        high = np.asarray(last) + rng.uniform(0, margin, 3)
        size, center = valid_size([int(n) for n in high - low]), (low + high) / 2
    if crops:
        whole = size
        z, y, x = (min(n, m) for n, m in zip(crops[int(rng.integers(len(crops)))], whole, strict=True))
        size = (z, y, x)
        center = _crop_center(case, center, whole, size, rng)
    return sample(case, center, size, augmentation, rng)


def _crop_center(
    case: PreparedCase, center: np.ndarray, whole: Size, size: Size, rng: np.random.Generator
) -> np.ndarray:
    """A crop's centre: near a label's voxel three times in four, else anywhere in the region of interest."""
    room = (np.asarray(whole) - np.asarray(size)) / 2
    target = center + rng.uniform(-1, 1, 3) * room
    present = [int(label) for label in np.unique(case.labels) if label]
    if present and rng.random() < 0.75:
        voxels = np.argwhere(case.labels == present[int(rng.integers(len(present)))])
        target = voxels[int(rng.integers(len(voxels)))] + rng.uniform(-0.4, 0.4, 3) * np.asarray(size)
    return np.clip(target, center - room, center + room)
