"""Area resampling and Gaussian smoothing of a whole volume as one matrix an axis: the arithmetic of inference, on any grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def area_matrix(count: int, spacing: float, start: float, out_spacing: float, out_count: int) -> NDArray[np.float32]:
    """Share of each of `count` voxels (of `spacing` mm, from 0) in each of `out_count` output voxels (from `start` mm).

    (out_count, count); rows sum to 1 inside the image, to less where an output voxel reaches beyond it.
    """
    low = start + out_spacing * np.arange(out_count)[:, None]
    edges = spacing * np.arange(count)[None, :]
    overlap = np.minimum(low + out_spacing, edges + spacing) - np.maximum(low, edges)
    return (np.clip(overlap, 0, None) / out_spacing).astype(np.float32)


def gaussian_matrix(count: int, spacing: float, sigma: float) -> NDArray[np.float32]:
    """Gaussian of `sigma` mm along an axis of `count` voxels: radius ceil(4σ + 0.5) voxels, taps summing to 1, the edge
    mirrored with its voxel repeated (reference table, stage 2)."""
    if sigma <= 0:
        return np.eye(count, dtype=np.float32)
    width = sigma / spacing
    radius = int(np.ceil(4 * width + 0.5))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / width) ** 2)
    taps /= taps.sum()
    matrix = np.zeros((count, count))
    rows = np.arange(count)
    for offset, tap in zip(range(-radius, radius + 1), taps, strict=True):
        index = np.mod(rows + offset, 2 * count)
        np.add.at(matrix, (rows, np.where(index < count, index, 2 * count - 1 - index)), tap)
    return matrix.astype(np.float32)


def apply(matrices: Sequence[NDArray[np.float32]], volume: NDArray[np.generic]) -> NDArray[np.float32]:
    """Multiply each axis of `volume` [z, y, x] by its matrix (out, in)."""
    z, y, x = matrices
    # Slice by slice, so that the scan is converted to float32 a slice at a time.
    slices = np.stack([y @ (plane.astype(np.float32) @ x.T) for plane in volume])
    return np.tensordot(z, slices, 1)
