"""The outlines of a mask as rings of points."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from contourpy import FillType, contour_generator


def rings(mask: np.ndarray, level: float = 0.5) -> Iterator[list[np.ndarray]]:
    """For each piece of a mask [row, column] its outline and those of its holes, each [point, (x, y)].

    Points are in pixels, with the centre of the first at (0, 0); the last meets the first. An outline passes
    between the centres of a pixel inside and its neighbour outside, so the centres of exactly the pixels of
    the mask are inside. `level` is how far from the one outside, as a share of the distance.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return
    (top, bottom), (left, right) = ((int(each[0]), int(each[-1]) + 1) for each in (rows, columns))
    generator = contour_generator(
        x=np.arange(left - 1, right + 1),
        y=np.arange(top - 1, bottom + 1),
        z=np.pad(mask[top:bottom, left:right], 1).astype(np.float64),
        fill_type=FillType.OuterOffset,
    )
    for points, offsets in zip(*generator.filled(level, 2.0), strict=True):
        yield [_corners(points[begin : end - 1]) for begin, end in pairwise(offsets)]


def _corners(ring: np.ndarray) -> np.ndarray:
    """A ring without the points on a straight line between their neighbours."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    return ring[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]
