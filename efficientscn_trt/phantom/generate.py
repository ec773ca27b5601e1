"""Draw a phantom from a seed and sample it on a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .body import Body
from .canvas import Axes, Canvas
from .shapes import rotation_matrix
from .trunk import AIR_HU, paint_spine, paint_table, paint_trunk

if TYPE_CHECKING:
    import SimpleITK

LABEL_NAMES = ("background", "liver", "kidneys", "spleen", "pancreas")
#: Networks are trained on phantoms with smaller seeds only. The others are for demonstration and measurement.
FIRST_UNSEEN_SEED = 1_000_000
SLAB_SLICES = 16
# The centre of the image: the middle of the labelled organs in body coordinates.
CENTER_MM = (-2.0, 0.0, 35.0)
DEFAULT_SPACING_MM = (1.5, 1.5, 3.0)


@dataclass(frozen=True)
class Phantom:
    """A synthetic CT along LPS axes: `image` is int16 in HU, `labels` is uint8 (indices of `LABEL_NAMES`)."""

    image: SimpleITK.Image
    labels: SimpleITK.Image
    seed: int


def make_phantom(
    seed: int,
    size_xyz: Sequence[int] | None = None,
    spacing_xyz: Sequence[float] | None = None,
) -> Phantom:
    """Draw an abdominal CT phantom from `seed`. The same seed always gives the same bits.

    Only the seed decides the body: every grid shows the same one. `size_xyz` is in voxels; by default the
    field of view spans the trunk from the hip bones to the chest. `spacing_xyz` is in mm; by default it is
    1.5 × 1.5 × 3 mm or, with a size, what fills this field of view.

    Raises InputError for a seed below 0, a size that is not three positive integers or a spacing that is
    not three positive numbers.
    """
    _check(seed, size_xyz, spacing_xyz)
    body = Body.draw(int(seed))
    view = _field_of_view(body)
    if spacing_xyz is None and size_xyz is not None:
        spacing_xyz = [extent / size for extent, size in zip(view, size_xyz, strict=True)]
    spacing = [float(s) for s in (spacing_xyz or DEFAULT_SPACING_MM)]
    size = [int(n) for n in size_xyz or [max(1, round(v / s)) for v, s in zip(view, spacing, strict=True)]]
    hu, labels = _sample(body, int(seed), size, spacing)
    return Phantom(_image(hu, spacing, body), _image(labels, spacing, body), int(seed))


def _check(seed: int, size_xyz: Sequence[int] | None, spacing_xyz: Sequence[float] | None) -> None:
    if seed < 0:
        raise InputError(f"The phantom's seed is {seed}; give an integer of 0 or more.")
    if size_xyz is not None and (len(size_xyz) != 3 or any(n != int(n) or n < 1 for n in size_xyz)):
        raise InputError(f"The phantom's size is {tuple(size_xyz)}; give three positive integers, x y z.")
    if spacing_xyz is not None and (
        len(spacing_xyz) != 3 or not all(np.isfinite(s) and s > 0 for s in spacing_xyz)
    ):
        raise InputError(
            f"The phantom's spacing is {tuple(spacing_xyz)}; give three positive numbers in mm, x y z."
        )


def _field_of_view(body: Body) -> tuple[float, float, float]:
    trunk = body.trunk
    return (
        2 * trunk.half_width * body.scale + 44.0,
        2 * trunk.half_depth * body.scale + 60.0,
        400.0 * body.scale,
    )


def _sample(
    body: Body, seed: int, size: list[int], spacing: list[float]
) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    shape = size[::-1]
    hu, labels = np.empty(shape, np.int16), np.zeros(shape, np.uint8)
    x, y, z = (
        ((np.arange(n) - (n - 1) / 2) * s / body.scale + c).astype(np.float64)
        for n, s, c in zip(size, spacing, CENTER_MM, strict=True)
    )
    # Slab by slab, so that memory does not grow with the number of slices.
    for start in range(0, shape[0], SLAB_SLICES):
        stop = min(start + SLAB_SLICES, shape[0])
        canvas = _canvas(body, (x, y, z[start:stop]), spacing, labels[start:stop])
        _paint(body, canvas)
        for index in range(start, stop):
            noise = np.random.default_rng([seed, 1, index])
            hu[index] = body.scanner.acquire(canvas.hu[index - start], (spacing[0], spacing[1]), noise)
    return hu, labels


def _canvas(body: Body, axes: Axes, spacing: list[float], labels: NDArray[np.uint8]) -> Canvas:
    x, y, z = axes
    shift = body.coarse.sample(x, y, z)
    shift += body.fine.sample(x, y, z)
    rotation = rotation_matrix(body.angles).astype(np.float32)
    straight = (
        x.astype(np.float32)[None, None, :],
        y.astype(np.float32)[None, :, None],
        z.astype(np.float32)[:, None, None],
    )
    for row, target in zip(rotation, shift, strict=True):
        target += row[0] * straight[0] + row[1] * straight[1] + row[2] * straight[2]
    return Canvas(
        x=shift[0],
        y=shift[1],
        z=shift[2],
        axes=axes,
        warp=max(float(np.abs(bent - line).max()) for bent, line in zip(shift, straight, strict=True)),
        # A surface fades over about a voxel: partial volume.
        softness=float(np.mean(spacing)) / body.scale,
        texture=body.texture.sample(x, y, z)[0],
        hu=np.full(labels.shape, AIR_HU, np.float32),
        labels=labels,
    )


def _paint(body: Body, canvas: Canvas) -> None:
    skin, cavity = paint_trunk(canvas, body.trunk, body.tissue)
    within = cavity + np.float32(2)
    for organ in body.organs:
        canvas.paint(
            organ.shape,
            organ.hu,
            label=organ.label,
            texture=organ.texture,
            shell=organ.shell,
            shell_hu=organ.shell_hu,
            within=within if organ.label else None,
            only_in=organ.only_in,
        )
    paint_spine(canvas, body.trunk, body.tissue)
    canvas.fill(-skin, AIR_HU)  # no organ reaches out of the body
    if body.table is not None:
        paint_table(canvas, body.trunk.half_depth + body.table)


def _image(array: NDArray[np.generic], spacing: list[float], body: Body) -> SimpleITK.Image:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin(
        [o - 0.5 * s * (n - 1) for o, s, n in zip(body.origin, spacing, array.shape[::-1], strict=True)]
    )
    return image
