"""The outlines of a mask as polygons without holes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..contours import rings

_LEVEL = 33 / 64  # between 0, outside, and 1


def outlines(mask: np.ndarray) -> Iterator[np.ndarray]:
    """The outlines of a mask [row, column], each [point, (x, y)] in pixels. The last point meets the first.

    Each is that of `rings`, a little nearer to the pixels inside, so programs that round points to pixels
    before they fill also find the mask. A hole is joined to the outline around it by a channel without width,
    which every reader understands.
    """
    for outer, *holes in rings(mask, _LEVEL):
        yield _joined(outer, holes)


def _joined(outline: np.ndarray, holes: list[np.ndarray]) -> np.ndarray:
    """One ring: from the highest point of each hole, a channel leads along x to what is before it.

    Its y is between two rows, so it meets no centre of a pixel.
    """
    rings = [np.roll(hole, -int(np.lexsort(hole.T)[0]), axis=0) for hole in holes]
    for ring in sorted(rings, key=lambda ring: (ring[0, 1], ring[0, 0])):
        edge, x = _before(ring[0], outline)
        way = np.array([[x, ring[0, 1]]])
        outline = np.concatenate([outline[: edge + 1], way, ring, ring[:1], way, outline[edge + 1 :]])
    return outline


def _before(point: np.ndarray, outline: np.ndarray) -> tuple[int, float]:
    """The edge of the outline that the line along x meets last before `point`, and its x there."""
    x, y = point
    begin, end = outline, np.roll(outline, -1, axis=0)
    low, high = np.minimum(begin[:, 1], end[:, 1]), np.maximum(begin[:, 1], end[:, 1])
    edges = np.flatnonzero((low <= y) & (y <= high) & (low < high))
    begin, end = begin[edges], end[edges]
    share = (y - begin[:, 1]) / (end[:, 1] - begin[:, 1])
    places = begin[:, 0] + share * (end[:, 0] - begin[:, 0])
    last = int(np.where(places <= x, places, -np.inf).argmax())
    return int(edges[last]), float(places[last])
