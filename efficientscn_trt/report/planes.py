"""The axial, the coronal and the sagittal slice of a scan that show its organs best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..triples import Size, Triple

SURROUNDINGS_MM = 70.0  # shown around the organs

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Plane:
    """One slice, rows downwards on the picture, with what is needed to place it.

    `pixel_mm` is (height, width) of a pixel, `marks` the anatomical directions (left, right, top, bottom),
    `cut` the (column, row) in which the two other planes cut it.
    """

    name: str
    scan: np.ndarray
    labels: np.ndarray
    pixel_mm: tuple[float, float]
    marks: tuple[str, str, str, str]
    cut: tuple[int, int]

    @property
    def size_mm(self) -> tuple[float, float]:
        """Height and width in mm."""
        rows, columns = self.labels.shape
        return rows * self.pixel_mm[0], columns * self.pixel_mm[1]


def organ_box(labels: np.ndarray) -> Box | None:
    """Smallest box of the labels 1 and above, a half-open voxel range an axis; None if there are none."""
    present = [np.flatnonzero(labels.any(axis=_others(axis))) for axis in range(3)]
    if not present[0].size:
        return None
    z, y, x = (slice(int(indices[0]), int(indices[-1]) + 1) for indices in present)
    return z, y, x


def best_slices(labels: np.ndarray, box: Box | None) -> Size:
    """Index along each axis of the slice that shows the organs in `box` best; the middle without a box.

    A label counts with the square root of its area in the slice as a share of its largest, so that a slice
    with a part of every organ wins over one with the whole of the liver.
    """
    if box is None:
        z, y, x = (length // 2 for length in labels.shape)
        return z, y, x
    organs = labels[box]
    masks = [organs == value for value in np.unique(organs) if value]
    best = []
    for axis in range(3):
        areas = np.array([np.count_nonzero(mask, axis=_others(axis)) for mask in masks])
        score = np.sqrt(areas / areas.max(axis=1, keepdims=True)).sum(axis=0)
        best.append(box[axis].start + int(score.argmax()))
    return best[0], best[1], best[2]


def _others(axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(3) if other != axis)


def planes(scan: np.ndarray, labels: np.ndarray, spacing: Triple) -> tuple[Plane, Plane, Plane]:
    """The axial, coronal and sagittal slice that show the organs best, cut to the organs and what is near.

    `scan` (HU) and `labels` are [z, y, x] along LPS axes, `spacing` is (z, y, x) in mm.
    """
    box = organ_box(labels)
    z, y, x = best_slices(labels, box)
    if box is not None:
        near = [math.ceil(SURROUNDINGS_MM / mm) for mm in spacing]
        region = tuple(
            slice(max(0, part.start - n), part.stop + n) for part, n in zip(box, near, strict=True)
        )
        z, y, x = (index - part.start for index, part in zip((z, y, x), region, strict=True))
        scan, labels = scan[region], labels[region]
    mm_z, mm_y, mm_x = spacing
    z_row = labels.shape[0] - 1 - z  # z runs to the head, rows run downwards
    return (
        Plane("Axial", scan[z], labels[z], (mm_y, mm_x), ("R", "L", "A", "P"), (x, y)),
        Plane("Coronal", scan[::-1, y], labels[::-1, y], (mm_z, mm_x), ("R", "L", "S", "I"), (x, z_row)),
        Plane(
            "Sagittal", scan[::-1, :, x], labels[::-1, :, x], (mm_z, mm_y), ("A", "P", "S", "I"), (y, z_row)
        ),
    )
