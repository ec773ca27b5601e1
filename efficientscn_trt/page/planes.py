"""The axial, coronal and sagittal slices of a scan that show its organs best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..io.orientation import Geometry
from ..organs import ScanRegion
from ..triples import Size, Triple

SURROUNDINGS_MM = 70.0  # shown around the organs

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Plane:
    """One slice as it is drawn, with its rows from top to bottom.

    `index` is its place along its axis. `pixel_mm` is (height, width) of a pixel. `marks` are the letters of
    the anatomical directions (left, right, top, bottom). `cut` is the (column, row) where the two other
    planes cut this one.
    """

    name: str
    index: int
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


@dataclass(frozen=True)
class Views:
    """Slices of a scan: the three planes, and axial ones from the feet to the head."""

    planes: tuple[Plane, Plane, Plane]
    strip: tuple[Plane, ...]


def organ_box(labels: np.ndarray) -> Box | None:
    """The smallest box of all labels above 0, a half-open voxel range per axis. None if there are none."""
    present = [np.flatnonzero(labels.any(axis=_others(axis))) for axis in range(3)]
    if not present[0].size:
        return None
    z, y, x = (slice(int(indices[0]), int(indices[-1]) + 1) for indices in present)
    return z, y, x


def best_slices(labels: np.ndarray, box: Box | None) -> Size:
    """The index along each axis of the slice that shows the organs in `box` best; the middle without a box.

    Each label counts by its area in the slice, as a share of its largest area in any slice. The square root
    of the share makes a slice with a part of every organ better than a slice with all of the liver.
    """
    if box is None:
        z, y, x = (length // 2 for length in labels.shape)
        return z, y, x
    z, y, x = (
        part.start + int(np.sqrt(areas / areas.max(axis=1, keepdims=True)).sum(axis=0).argmax())
        for part, areas in zip(box, _areas(labels[box]), strict=True)
    )
    return z, y, x


def _areas(organs: np.ndarray) -> list[np.ndarray]:
    """The area of each label above 0 in each slice, [label, slice] for each axis."""
    highest = int(organs.max())
    areas = [np.zeros((highest, length), np.int64) for length in organs.shape]
    for z, plane in enumerate(organs):  # slice by slice, for little memory
        for value in np.flatnonzero(np.bincount(plane.ravel()))[int(not plane.all()) :]:
            mask = plane == value
            areas[0][value - 1, z] = np.count_nonzero(mask)
            areas[1][value - 1] += np.count_nonzero(mask, axis=1)
            areas[2][value - 1] += np.count_nonzero(mask, axis=0)
    present = areas[0].any(axis=1)
    return [each[present] for each in areas]


def _others(axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(3) if other != axis)


def region_views(region: ScanRegion, labels: np.ndarray, geometry: Geometry, strip: int = 0) -> Views | None:
    """The `views` of `labels` [z, y, x] in the scan's own axes on the HU of its region.

    None if the region has no voxel.
    """
    if not region.hu.size:
        return None
    return views(region.hu, geometry.lps_view(labels)[region.slices], geometry.lps_spacing, strip)


def views(scan: np.ndarray, labels: np.ndarray, spacing: Triple, strip: int = 0) -> Views:
    """The axial, coronal and sagittal slices that show the organs best, cut to the organs and a margin.

    `scan` (HU) and `labels` are [z, y, x] along LPS axes, `spacing` is (z, y, x) in mm. With them come
    `strip` axial slices, or as many as there are, spread over the organs. Without organs they are spread over
    the whole of `scan`.
    """
    box = organ_box(labels)
    best = best_slices(labels, box)
    found = box or tuple(slice(0, length) for length in labels.shape)
    near = [math.ceil(SURROUNDINGS_MM / mm) for mm in spacing]
    region = tuple(slice(max(0, part.start - n), part.stop + n) for part, n in zip(found, near, strict=True))
    scan, labels = scan[region], labels[region]
    first = tuple(part.start for part in region)
    z, y, x = (index - start for index, start in zip(best, first, strict=True))
    mm_z, mm_y, mm_x = spacing
    z_row = labels.shape[0] - 1 - z  # z grows towards the head, rows grow downwards

    def axial(z: int) -> Plane:
        marks = ("R", "L", "A", "P")
        return Plane("Axial", z + first[0], scan[z], labels[z], (mm_y, mm_x), marks, (x, y))

    coronal, sagittal = (scan[::-1, y], labels[::-1, y]), (scan[::-1, :, x], labels[::-1, :, x])
    return Views(
        (
            axial(z),
            Plane("Coronal", best[1], *coronal, (mm_z, mm_x), ("R", "L", "S", "I"), (x, z_row)),
            Plane("Sagittal", best[2], *sagittal, (mm_z, mm_y), ("A", "P", "S", "I"), (y, z_row)),
        ),
        tuple(axial(index - first[0]) for index in _spread(found[0], strip)),
    )


def _spread(part: slice, count: int) -> list[int]:
    """The middles of `count` equal parts of a range, or all of its indices if there are fewer."""
    length = part.stop - part.start
    count = min(count, length)
    return [part.start + (2 * number + 1) * length // (2 * count) for number in range(count)]
