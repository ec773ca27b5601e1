"""The surface of a label map, as elements with a position and an area, and distances between two surfaces."""

from __future__ import annotations

from itertools import product

import numpy as np
import SimpleITK as sitk

from ..triples import Triple


def normalized_surface_distance(
    prediction: np.ndarray, reference: np.ndarray, spacing: Triple, tolerance_mm: float = 1.0
) -> float:
    """The share of both surfaces that is within `tolerance_mm` of the other one (NSD; paper, section 3.2).

    `prediction` and `reference` are bool [z, y, x], `spacing` is (z, y, x) in mm. As in the FLARE challenge,
    a surface has an element wherever eight voxels meet that are not all equal, and an element counts by its
    area (Nikolov et al., arXiv 1809.04430). The NSD is 1.0 if neither has a voxel, and 0.0 if only one has.
    """
    if not prediction.any() or not reference.any():
        return float(prediction.any() == reference.any())
    region = _common_box(prediction | reference)
    surfaces = [_surface(mask[region], spacing) for mask in (prediction, reference)]
    near = total = 0.0
    for (elements, area), (others, _) in zip(surfaces, reversed(surfaces), strict=True):
        # The distance map is float32, so a distance equal to the tolerance may be slightly above it.
        within = _distance(others, spacing)[elements] <= tolerance_mm * (1 + 1e-6)
        near += float(area[elements][within].sum())
        total += float(area[elements].sum())
    return near / total


def _common_box(mask: np.ndarray) -> tuple[slice, ...]:
    ranges = []
    for axis in range(3):
        present = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        ranges.append(slice(present[0], present[-1] + 1))
    return tuple(ranges)


def _surface(mask: np.ndarray, spacing: Triple) -> tuple[np.ndarray, np.ndarray]:
    """Where eight voxels meet that are not all equal, and the area of the surface there in mm².

    The area is the mean over all level sets of the trilinear interpolation between the eight voxels. By the
    coarea formula this is the integral of the gradient's length, approximated by its value at the centre.
    """
    padded = np.pad(mask, 1).astype(np.float32)
    corners = {
        corner: padded[tuple(slice(i, i - 1 or None) for i in corner)] for corner in product((0, 1), repeat=3)
    }
    count = np.zeros_like(padded[1:, 1:, 1:])
    gradient = np.zeros((3, *count.shape), np.float32)
    for corner, values in corners.items():
        count += values
        for axis in range(3):
            gradient[axis] += values if corner[axis] else -values
    length = np.sqrt(sum((part / (4 * step)) ** 2 for part, step in zip(gradient, spacing, strict=True)))
    return (count > 0) & (count < 8), length * float(np.prod(spacing))


def _distance(elements: np.ndarray, spacing: Triple) -> np.ndarray:
    """The distance in mm from every position to the nearest of `elements`."""
    image = sitk.GetImageFromArray(elements.astype(np.uint8))
    image.SetSpacing(spacing[::-1])
    distance = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
    return sitk.GetArrayFromImage(distance)
