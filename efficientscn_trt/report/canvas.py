"""A picture to draw on, with positions and lengths in inches from its upper left corner."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..io.atomic import replacing

DPI = 150
_POINT = DPI / 72  # in pixels
_FINER = 3  # how often a pixel is divided along each axis to draw a shape in it
_FASTER = 3  # a level of zlib at which a picture takes half the time of the default, and as many bytes


class Canvas:
    """A picture that is drawn piece by piece."""

    def __init__(self, width: float, height: float, background: str) -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (_pixels(width), _pixels(height)), background)
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        points: float,
        colour: str,
        anchor: str = "lm",
        bold: bool = False,
    ) -> None:
        """Write `text` at (x, y). `anchor` is one of Pillow's: "lm" is at the left, in the middle."""
        self._draw.text((x * DPI, y * DPI), text, colour, _font(points), anchor, stroke_width=int(bold))

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle with its upper left corner at (x, y)."""
        left, top = _pixels(x), _pixels(y)
        self._draw.rectangle((left, top, left + _pixels(width) - 1, top + _pixels(height) - 1), colour)

    def paste(self, x: float, y: float, picture: Image.Image) -> None:
        """Put `picture` with its upper left corner at (x, y)."""
        self._image.paste(picture, (_pixels(x), _pixels(y)))

    def write(self, path: Path) -> None:
        """Write a PNG, whole or not at all. Raises OutputError."""
        with replacing(path) as temporary:
            self._image.save(temporary, "PNG", compress_level=_FASTER)

    @property
    def pixels(self) -> np.ndarray:
        """uint8 [row, column, (red, green, blue)]."""
        return np.asarray(self._image)


class Layer:
    """A slice in grey, stretched to a size in inches, on which shapes are drawn.

    Positions are in pixels of the slice (column, row), whose first has its centre at (0, 0).
    """

    def __init__(self, grey: np.ndarray, width: float, height: float) -> None:
        """`grey`: uint8 [row, column]."""
        size = max(1, _pixels(width)), max(1, _pixels(height))
        self.picture = Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR).convert("RGB")
        rows, columns = grey.shape
        self._scale = np.array([size[0] / columns, size[1] / rows])

    def outline(
        self, rings: Iterable[list[np.ndarray]], colour: str, *, thickness: float, fill: float
    ) -> None:
        """Draw pieces with their holes (`io.contours.rings`), filled with a share of `colour`.

        `thickness`: of the outlines, in points.
        """
        inside, line = self._mask(), self._mask()
        width = round(thickness * _POINT * _FINER)
        levels = [(ring, 0 if hole else 255) for piece in rings for hole, ring in enumerate(piece)]
        # From the largest, because a piece may lie in the hole of another one.
        for ring, level in sorted(levels, key=lambda each: -float(np.ptp(each[0], axis=0).prod())):
            points = self._placed(ring)
            ImageDraw.Draw(inside).polygon(points, level)
            ImageDraw.Draw(line).line((*points, *points[:2]), 255, width, joint="curve")
        self._paint(inside, colour, fill)
        self._paint(line, colour)

    def dashed(self, start: tuple[float, float], end: tuple[float, float], colour: str, fill: float) -> None:
        """Draw a thin dashed line with a share of `colour`."""
        mask = self._mask()
        first, last = (np.array(point) for point in self._placed(np.array([start, end])))
        length = float(np.linalg.norm(last - first))
        dash, gap = 3 * _POINT * _FINER, 2.5 * _POINT * _FINER
        for begin in np.arange(0, length, dash + gap):
            ends = (first + (last - first) * min(at, length) / length for at in (begin, begin + dash))
            points = [(float(x), float(y)) for x, y in ends]
            ImageDraw.Draw(mask).line(points, 255, _FINER)
        self._paint(mask, colour, fill)

    def _placed(self, ring: np.ndarray) -> list[tuple[float, float]]:
        """Points of the slice as points of a mask."""
        placed = (ring + 0.5) * self._scale * _FINER - 0.5
        return [(x, y) for x, y in placed.tolist()]

    def _mask(self) -> Image.Image:
        width, height = self.picture.size
        return Image.new("L", (width * _FINER, height * _FINER))

    def _paint(self, mask: Image.Image, colour: str, share: float = 1.0) -> None:
        smooth = mask.reduce(_FINER).point([round(value * share) for value in range(256)])
        self.picture.paste(colour, None, smooth)


def _pixels(inches: float) -> int:
    return round(inches * DPI)


@cache
def _font(points: float) -> ImageFont.FreeTypeFont:
    font = files(__package__) / "fonts" / "DejaVuSans.ttf"
    return ImageFont.truetype(BytesIO(font.read_bytes()), round(points * _POINT))
