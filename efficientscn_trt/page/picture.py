"""A slice of a scan as an SVG: its grey levels as an image in it, and the contours of the organs as paths."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..io.contours import rings
from ..io.wording import listed
from .planes import Plane
from .window import grey
from .wording import shown_name

_BARS_MM = (200, 100, 50, 20, 10, 5, 2, 1)
_LONGEST_BAR = 0.35  # of the width
_NUMBERED = 0.15  # of the area of a label's largest piece, at least


@dataclass(frozen=True)
class Contour:
    """The outline of a label in a slice.

    `path` is the data of an SVG path in halves of pixels, from the centre of the first pixel. `places` (x, y)
    in mm are where its number is written: in each large piece.
    """

    value: int
    name: str
    path: str
    places: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Picture:
    """A slice as it is drawn. Lengths are in mm, from the upper left corner of the picture.

    `pixel_mm` is (height, width) of a pixel of the slice. `marks` are the anatomical directions (left, right,
    top, bottom). `cut` (x, y) is where the two other planes cut this one. `bar` is the length of the scale
    bar.
    """

    title: str
    description: str
    width: float
    height: float
    pixel_mm: tuple[float, float]
    image: str
    contours: tuple[Contour, ...]
    marks: tuple[str, str, str, str]
    cut: tuple[float, float]
    bar: int


def picture_of(plane: Plane, start: int, count: int, names: Mapping[int, str], widest: int = 0) -> Picture:
    """The picture of a slice.

    `start`: the index in the scan of the first slice along its axis. `count`: how many slices the scan has
    along it. `names`: of the labels above 0, by value. `widest`: the most pixels that the image is wide or
    high; 0 for those of the slice.
    """
    height, width = plane.size_mm
    mm_y, mm_x = plane.pixel_mm
    title = f"{plane.name} slice {start + plane.index + 1} of {count}"
    contours = tuple(_contours(plane, names))
    organs = listed((shown_name(each.name).lower() for each in contours), " and ") if contours else "no organ"
    x, y = plane.cut
    return Picture(
        title=title,
        description=f"{title}, with the contours of {organs}" if contours else f"{title}, with {organs}",
        width=width,
        height=height,
        pixel_mm=(mm_y, mm_x),
        image=_image(plane.scan, widest),
        contours=contours,
        marks=plane.marks,
        cut=((x + 0.5) * mm_x, (y + 0.5) * mm_y),
        bar=next((mm for mm in _BARS_MM if mm <= _LONGEST_BAR * width), 1),
    )


def _image(hu: np.ndarray, widest: int) -> str:
    """The grey levels as the address of a PNG that is in it."""
    from PIL import Image

    image = Image.fromarray(grey(hu))
    if 0 < widest < max(image.size):
        image.thumbnail((widest, widest), Image.Resampling.BOX)
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=6)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _contours(plane: Plane, names: Mapping[int, str]) -> Iterator[Contour]:
    for value, name in names.items():
        mask = plane.labels == value
        if pieces := list(rings(mask)):
            path = "".join(_path(ring) for piece in pieces for ring in piece)
            places = tuple(_places(mask, [piece[0] for piece in pieces], plane.pixel_mm))
            yield Contour(value, name, path, places)


def _path(ring: np.ndarray) -> str:
    """A ring as a closed part of a path, in steps from point to point: these are short."""
    points = np.rint(2 * ring).astype(int)
    first, steps = points[0], np.diff(points, axis=0)
    return f"M{first[0]} {first[1]}l{' '.join(f'{x} {y}' for x, y in steps.tolist())}z"


def _places(
    mask: np.ndarray, outlines: list[np.ndarray], pixel_mm: tuple[float, float]
) -> Iterator[tuple[float, float]]:
    """Where (x, y) in mm the number of a label is written, in each of its pieces that is large."""
    from PIL import Image, ImageDraw

    areas = [_area(outline) for outline in outlines]
    for outline, area in zip(outlines, areas, strict=True):
        if area >= _NUMBERED * max(areas):
            filled = Image.new("1", (mask.shape[1], mask.shape[0]))
            ImageDraw.Draw(filled).polygon([(x, y) for x, y in outline.tolist()], fill=1)
            piece = mask & np.asarray(filled)
            row, column = _middle(piece if piece.any() else mask, pixel_mm)
            yield (column + 0.5) * pixel_mm[1], (row + 0.5) * pixel_mm[0]


def _area(ring: np.ndarray) -> float:
    """The area in a ring, by the shoelace formula."""
    (x, y), (next_x, next_y) = ring.T, np.roll(ring, -1, axis=0).T
    return abs(float(np.sum(x * next_y - next_x * y))) / 2


def _middle(mask: np.ndarray, pixel_mm: tuple[float, float]) -> tuple[int, int]:
    """The pixel (row, column) of `mask` around which it is thickest: its number hides least there."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    mask = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    thickness = np.minimum(_run(mask) * pixel_mm[1], _run(mask.T).T * pixel_mm[0])
    row, column = np.unravel_index(int(thickness.argmax()), mask.shape)
    return top + int(row), left + int(column)


def _run(mask: np.ndarray) -> np.ndarray:
    """For each pixel the distance along its row to the nearest one outside, in pixels."""
    columns = np.arange(1, mask.shape[1] + 1)
    before = columns - np.maximum.accumulate(np.where(mask, 0, columns), axis=1)
    reversed_mask = mask[:, ::-1]
    after = columns - np.maximum.accumulate(np.where(reversed_mask, 0, columns), axis=1)
    return np.minimum(before, after[:, ::-1])
