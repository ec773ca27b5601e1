"""A picture of the slice in which two label maps differ most."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from efficientscn_trt.io.atomic import replacing
from efficientscn_trt.io.volume import Scan
from efficientscn_trt.page.window import HIGH_HU, LOW_HU

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNEQUAL = "#ff2d2d"


def worst_slice(reference: np.ndarray, found: np.ndarray) -> int:
    """Return the index of the axial slice with the most unequal voxels.

    Both arguments are label maps [z, y, x] along LPS axes. If all voxels are equal, it is the slice with the
    most organ voxels.
    """
    unequal = np.count_nonzero(reference != found, axis=(1, 2))
    return int((unequal if unequal.any() else np.count_nonzero(reference, axis=(1, 2))).argmax())


def write_picture(
    path: Path,
    scan: Scan,
    reference: np.ndarray,
    found: np.ndarray,
    title: str,
    palette: Mapping[int, str],
) -> None:
    """Write the worst slice as PNG: reference, found labels, unequal voxels.

    `palette`: the colour of each label, as #rrggbb. Raises OutputError.
    """
    figure = draw(scan, reference, found, title, palette)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")


def draw(
    scan: Scan, reference: np.ndarray, found: np.ndarray, title: str, palette: Mapping[int, str]
) -> Figure:
    """The picture that `write_picture` writes."""
    from matplotlib.figure import Figure

    index = worst_slice(reference, found)
    _, mm_y, mm_x = scan.geometry.lps_spacing
    unequal = np.count_nonzero(reference[index] != found[index])
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    views = figure.subplots(1, 3)
    panels = (("SavedModel", reference[index]), ("Here", found[index]), ("Unequal", None))
    for axes, (name, labels) in zip(views, panels, strict=True):
        _show(axes, scan.lps[index], mm_y / mm_x)
        axes.set_title(name)
        if labels is not None:
            _contours(axes, labels, palette)
        else:
            marked = np.ma.masked_equal((reference[index] != found[index]).astype(np.uint8), 0)
            axes.imshow(marked, cmap=_one_colour(), aspect=mm_y / mm_x, interpolation="nearest")
    figure.suptitle(f"{title}: slice {index + 1} of {len(reference)}, {unequal} unequal voxels")
    return figure


def _show(axes: Axes, hu: np.ndarray, aspect: float) -> None:
    axes.imshow(hu, cmap="gray", vmin=LOW_HU, vmax=HIGH_HU, aspect=aspect)
    axes.set_axis_off()


def _contours(axes: Axes, labels: np.ndarray, palette: Mapping[int, str]) -> None:
    for value, colour in palette.items():
        mask = labels == value
        if mask.any():
            axes.contour(mask.astype(np.float32), levels=[0.5], colors=[colour], linewidths=1.2)


def _one_colour() -> object:
    from matplotlib.colors import ListedColormap

    return ListedColormap([UNEQUAL])
