"""A picture of a label map: an axial, a coronal and a sagittal slice through the organs.

All three have one scale in mm. The orientation is radiological: the patient's right is on the left of the
picture. Anterior is at the top of the axial slice and on the left of the sagittal slice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..bundle import Manifest
from ..io.contours import rings
from ..io.wording import by_axis
from ..page.planes import Plane, region_views, views
from ..page.window import DESCRIPTION, LOW_HU, grey
from ..page.wording import foot_note, format_ml, shown_name
from ..result import Segmentation
from .canvas import Canvas, Layer

SCALE_BAR_MM = 50.0

BACKGROUND, TEXT, MUTED = "#0b0d10", "#e6e9ed", "#8b949e"
# In inches: the width of the three slices together, their largest height, and the space around them.
PICTURES, TALLEST = 11.6, 9.0
SIDE, GAP, HEAD, LEGEND_ROW, FOOT = 0.5, 0.6, 1.15, 0.36, 0.45
LEGEND_COLUMNS = 4
LONGEST_TITLE = 90  # characters


def note_for(manifest: Manifest) -> str:
    """The text at the foot: what the bundle says about its weights, and that this is no medical device."""
    return foot_note(str(manifest.provenance.get("notice") or ""))


def write(path: Path, segmentation: Segmentation, *, title: str, note: str) -> None:
    """Write the picture of `draw` to `path` as PNG. Raises OutputError."""
    draw(segmentation, title=title, note=note).write(path)


def draw(segmentation: Segmentation, *, title: str, note: str) -> Canvas:
    """Draw `segmentation` over the HU of its region of interest, which must be there.

    `title` is at the top of the picture, `note` at its foot in small print.
    """
    planes = _planes(segmentation)
    palette = {each.value: each.colour for each in segmentation.segments}
    rows = -(-len(palette) // LEGEND_COLUMNS)
    widths = [plane.size_mm[1] for plane in planes]
    tallest = max(plane.size_mm[0] for plane in planes)
    inch_per_mm = min(PICTURES / sum(widths), TALLEST / tallest)
    middle = HEAD + tallest * inch_per_mm / 2
    legend = HEAD + tallest * inch_per_mm + SIDE
    canvas = Canvas(PICTURES + 2 * SIDE + 2 * GAP, legend + rows * LEGEND_ROW + FOOT, BACKGROUND)

    # Tall scans do not fill the width; the rest is left on both sides.
    left = (canvas.width - sum(widths) * inch_per_mm - 2 * GAP) / 2
    for plane in planes:
        height, width = (mm * inch_per_mm for mm in plane.size_mm)
        _draw_plane(canvas, plane, palette, left, middle - height / 2, width, height)
        left += width + GAP
    canvas.text(SIDE, 0.42, _shortened(title), points=15, colour=TEXT, bold=True)
    canvas.text(SIDE, 0.68, _description(segmentation), points=9.5, colour=MUTED)
    _draw_legend(canvas, segmentation, legend)
    canvas.text(SIDE, canvas.height - 0.24, note, points=8, colour=MUTED)
    _draw_scale_bar(canvas, SCALE_BAR_MM * inch_per_mm)
    return canvas


def _planes(segmentation: Segmentation) -> tuple[Plane, Plane, Plane]:
    geometry, region = segmentation.geometry, segmentation.region
    assert region is not None
    shown = region_views(region, np.asarray(segmentation.array), geometry)
    if shown is None:  # the region is beside the scan
        nothing = np.zeros((1, 1, 1), np.uint8)
        shown = views(np.full(nothing.shape, LOW_HU), nothing, geometry.lps_spacing)
    return shown.planes


def _draw_plane(
    canvas: Canvas,
    plane: Plane,
    palette: Mapping[int, str],
    left: float,
    top: float,
    width: float,
    height: float,
) -> None:
    """Draw a slice, and around it the plane's name and the anatomical directions."""
    # The window comes first, because the interpolation would otherwise mix in values far outside it.
    layer = Layer(grey(plane.scan), width, height)
    for value, colour in palette.items():
        layer.outline(rings(plane.labels == value), colour, thickness=1.25, fill=0.16)
    rows, columns = plane.labels.shape
    column, row = plane.cut
    layer.dashed((column, -0.5), (column, rows - 0.5), TEXT, 0.28)
    layer.dashed((-0.5, row), (columns - 0.5, row), TEXT, 0.28)
    canvas.paste(left, top, layer.picture)
    right, bottom = left + width, top + height
    middle = left + width / 2, top + height / 2
    places = (
        (left - 0.14, middle[1]),
        (right + 0.14, middle[1]),
        (middle[0], top - 0.13),
        (middle[0], bottom + 0.14),
    )
    for mark, (x, y) in zip(plane.marks, places, strict=True):
        canvas.text(x, y, mark, points=9.5, colour=MUTED, anchor="mm", bold=True)
    canvas.text(left, top - 0.13, plane.name, points=9.5, colour=TEXT)


def _draw_scale_bar(canvas: Canvas, length: float) -> None:
    right, y, thick, high = canvas.width - SIDE, canvas.height - 0.24, 0.014, 0.1
    canvas.rectangle(right - length, y - thick / 2, length, thick, MUTED)
    for x in (right - length, right - thick):
        canvas.rectangle(x, y - high / 2, thick, high, MUTED)
    text = f"{SCALE_BAR_MM:.0f} mm"
    canvas.text(right - length - 0.1, y, text, points=8, colour=MUTED, anchor="rm")


def _draw_legend(canvas: Canvas, segmentation: Segmentation, top: float) -> None:
    column = (canvas.width - 2 * SIDE) / LEGEND_COLUMNS
    for index, each in enumerate(segmentation.segments):
        x = SIDE + index % LEGEND_COLUMNS * column
        y = top + (index // LEGEND_COLUMNS + 0.5) * LEGEND_ROW
        canvas.rectangle(x, y - 0.08, 0.24, 0.16, each.colour)
        text = f"{shown_name(each.name)}  {format_ml(segmentation.volumes_ml[each.name])}"
        canvas.text(x + 0.36, y, text, points=11.5, colour=TEXT)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"…{text[1 - LONGEST_TITLE :]}"


def _description(segmentation: Segmentation) -> str:
    size = by_axis(segmentation.geometry.size)
    spacing = by_axis(segmentation.geometry.spacing, ".3g")
    return f"{size} voxels of {spacing} mm   |   {DESCRIPTION}"
