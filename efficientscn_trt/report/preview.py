"""A picture of a label map: an axial, a coronal and a sagittal slice through the organs.

All three have one scale in mm. The orientation is radiological: the patient's right is on the left of the
picture. Anterior is at the top of the axial slice and on the left of the sagittal slice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bundle import Manifest
from ..io.atomic import replacing
from ..io.wording import by_axis
from ..organs.appearance import colours
from ..page.planes import Plane, planes
from ..page.window import DESCRIPTION, grey
from ..page.wording import foot_note, format_ml
from ..result import Segmentation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCALE_BAR_MM = 50.0

BACKGROUND, TEXT, MUTED = "#0b0d10", "#e6e9ed", "#8b949e"
DPI = 150
# In inches: the width of the three slices together, their largest height, and the space around them.
PICTURES, TALLEST = 11.6, 9.0
SIDE, GAP, HEAD, LEGEND_ROW, FOOT = 0.5, 0.6, 1.15, 0.36, 0.45
LEGEND_COLUMNS = 4
LONGEST_TITLE = 90  # characters


def note_for(manifest: Manifest) -> str:
    """The text at the foot: what the bundle says about its weights, and that this is no medical device."""
    return foot_note(str(manifest.provenance.get("notice") or ""))


def write(path: Path, scan: np.ndarray, segmentation: Segmentation, *, title: str, note: str) -> None:
    """Write the picture of `draw` to `path` as PNG. Raises OutputError."""
    figure = draw(scan, segmentation, title=title, note=note)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", facecolor=figure.get_facecolor())


def draw(scan: np.ndarray, segmentation: Segmentation, *, title: str, note: str) -> Figure:
    """Draw `segmentation` over its scan.

    `scan` is [z, y, x] in HU, in the scan's own axes, as is `segmentation.array`. `title` is at the top of
    the picture, `note` at its foot in small print.
    """
    from matplotlib.figure import Figure

    geometry = segmentation.geometry
    labels = geometry.lps_view(np.asarray(segmentation.array))
    views = planes(geometry.lps_view(scan), labels, geometry.lps_spacing)
    palette = colours(segmentation.label_names)
    rows = -(-len(palette) // LEGEND_COLUMNS)
    widths = [view.size_mm[1] for view in views]
    tallest = max(view.size_mm[0] for view in views)
    inch_per_mm = min(PICTURES / sum(widths), TALLEST / tallest)
    height = HEAD + tallest * inch_per_mm + SIDE + rows * LEGEND_ROW + FOOT
    figure = Figure(figsize=(PICTURES + 2 * SIDE + 2 * GAP, height), dpi=DPI, facecolor=BACKGROUND)
    page = _Page(figure)

    # Tall scans do not fill the width; the rest is left on both sides.
    left = (page.width - sum(widths) * inch_per_mm - 2 * GAP) / 2
    for view, width in zip(views, widths, strict=True):
        size = width * inch_per_mm, view.size_mm[0] * inch_per_mm
        bottom = height - HEAD - (tallest * inch_per_mm + size[1]) / 2
        _draw_plane(page.axes(left, bottom, *size), view, palette)
        _draw_marks(page, view, left, bottom, *size)
        left += size[0] + GAP
    page.text(SIDE, height - 0.42, _shortened(title), size=15, weight="bold")
    page.text(SIDE, height - 0.68, _description(segmentation), size=9.5, color=MUTED)
    _draw_legend(page, segmentation, palette, FOOT + rows * LEGEND_ROW)
    page.text(SIDE, 0.24, note, size=8, color=MUTED)
    _draw_scale_bar(page, SCALE_BAR_MM * inch_per_mm)
    return figure


class _Page:
    """A figure with positions in inches from its lower left corner."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.width, self.height = (float(value) for value in figure.get_size_inches())

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        box = left / self.width, bottom / self.height, width / self.width, height / self.height
        return self.figure.add_axes(box)

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        style = {"color": TEXT, "ha": "left", "va": "center", "parse_math": False, **style}
        self.figure.text(x / self.width, y / self.height, text, **style)

    def line(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        from matplotlib.lines import Line2D

        across, up = [value / self.width for value in x], [value / self.height for value in y]
        self.figure.add_artist(
            Line2D(across, up, color=MUTED, linewidth=1, transform=self.figure.transFigure)
        )


def _draw_plane(axes: Axes, plane: Plane, palette: Mapping[int, str]) -> None:
    rows, columns = plane.labels.shape
    height, width = plane.size_mm
    # The window comes first, because the interpolation would otherwise mix in values far outside it.
    axes.imshow(
        grey(plane.scan),
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(0, width, height, 0),
        interpolation="bilinear",
    )
    # A border of one background voxel closes the contours at the edge of the scan.
    x = (np.arange(-1, columns + 1) + 0.5) * plane.pixel_mm[1]
    y = (np.arange(-1, rows + 1) + 0.5) * plane.pixel_mm[0]
    for value, colour in palette.items():
        mask = np.pad(plane.labels == value, 1).astype(np.float32)
        if mask.any():
            axes.contourf(x, y, mask, levels=[0.5, 1.5], colors=[colour], alpha=0.16, antialiased=True)
            axes.contour(x, y, mask, levels=[0.5], colors=[colour], linewidths=1.25)
    column, row = ((index + 0.5) * mm for index, mm in zip(plane.cut, reversed(plane.pixel_mm), strict=True))
    axes.axvline(column, color=TEXT, linewidth=0.5, alpha=0.28, dashes=(6, 5))
    axes.axhline(row, color=TEXT, linewidth=0.5, alpha=0.28, dashes=(6, 5))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()


def _draw_marks(page: _Page, plane: Plane, left: float, bottom: float, width: float, height: float) -> None:
    """Write the anatomical directions beside the slice, where they hide nothing, and the plane's name."""
    right, top = left + width, bottom + height
    middle = left + width / 2, bottom + height / 2
    places = (
        (left - 0.14, middle[1]),
        (right + 0.14, middle[1]),
        (middle[0], top + 0.13),
        (middle[0], bottom - 0.14),
    )
    for mark, (x, y) in zip(plane.marks, places, strict=True):
        page.text(x, y, mark, size=9.5, color=MUTED, ha="center", weight="bold")
    page.text(left, top + 0.13, plane.name, size=9.5)


def _draw_scale_bar(page: _Page, length: float) -> None:
    right, y = page.width - SIDE, 0.24
    page.line((right - length, right), (y, y))
    for x in (right - length, right):
        page.line((x, x), (y - 0.05, y + 0.05))
    page.text(right - length - 0.1, y, f"{SCALE_BAR_MM:.0f} mm", size=8, color=MUTED, ha="right")


def _draw_legend(page: _Page, segmentation: Segmentation, palette: Mapping[int, str], top: float) -> None:
    from matplotlib.patches import Rectangle

    column = (page.width - 2 * SIDE) / LEGEND_COLUMNS
    for index, (value, colour) in enumerate(palette.items()):
        x = SIDE + index % LEGEND_COLUMNS * column
        y = top - (index // LEGEND_COLUMNS + 0.5) * LEGEND_ROW
        corner = x / page.width, (y - 0.08) / page.height
        page.figure.add_artist(
            Rectangle(
                corner,
                0.24 / page.width,
                0.16 / page.height,
                facecolor=colour,
                transform=page.figure.transFigure,
            )
        )
        name = segmentation.label_names[value]
        page.text(x + 0.36, y, f"{name.capitalize()}  {format_ml(segmentation.volumes_ml[name])}", size=11.5)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"…{text[1 - LONGEST_TITLE :]}"


def _description(segmentation: Segmentation) -> str:
    size = by_axis(segmentation.geometry.size)
    spacing = by_axis(segmentation.geometry.spacing, ".3g")
    return f"{size} voxels of {spacing} mm   |   {DESCRIPTION}"
