"""Draw a phantom from a seed and sample it on a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .anatomy import Organ, Tissue, Trunk, draw_organs
from .canvas import Canvas
from .fields import SplineField
from .shapes import rotation_matrix
from .trunk import AIR_HU, paint_spine, paint_table, paint_trunk, trunk_distance

if TYPE_CHECKING:
    import SimpleITK

LABEL_NAMES = ("background", "liver", "kidneys", "spleen", "pancreas")
SLAB_SLICES = 16
# Middle of the labelled organs in body coordinates: the centre of the image.
CENTER_MM = (-2.0, 0.0, 35.0)
DEFAULT_SPACING_MM = (1.5, 1.5, 3.0)


@dataclass(frozen=True)
class Phantom:
    """A computed tomogram that nobody ever had: `image` int16 in HU, `labels` uint8 (values index `LABEL_NAMES`), LPS axes."""

    image: SimpleITK.Image
    labels: SimpleITK.Image
    seed: int


@dataclass(frozen=True)
class _Body:
    """All that the seed decides, before any grid."""

    tissue: Tissue
    trunk: Trunk
    organs: list[Organ]
    scale: float
    angles: tuple[float, float, float]
    coarse: SplineField
    fine: SplineField
    texture: SplineField
    noise_hu: float
    noise_blur: float
    blur_mm: float
    table: float | None
    origin: tuple[float, float, float]

    @classmethod
    def draw(cls, seed: int) -> _Body:
        rng = np.random.default_rng([seed, 0])
        tissue = Tissue.draw(rng)
        return cls(
            tissue=tissue,
            trunk=Trunk.draw(rng),
            organs=draw_organs(rng, tissue),
            scale=float(rng.uniform(0.86, 1.06)),
            angles=(float(rng.uniform(-0.06, 0.06)), float(rng.uniform(-0.06, 0.06)), float(rng.uniform(-0.1, 0.1))),
            coarse=SplineField(rng, 3, pitch=60.0, amplitude=float(rng.uniform(2.5, 5.5))),
            fine=SplineField(rng, 3, pitch=24.0, amplitude=float(rng.uniform(0.5, 1.4))),
            texture=SplineField(rng, 1, pitch=11.0, amplitude=1.0),
            noise_hu=float(rng.uniform(4, 24)),
            noise_blur=float(rng.uniform(0.0, 1.0)),
            blur_mm=float(rng.uniform(0.4, 1.2)),
            table=float(rng.uniform(8, 30)) if rng.random() < 0.8 else None,
            origin=(float(rng.uniform(-60, 60)), float(rng.uniform(-60, 60)), float(rng.uniform(-900, 200))),
        )


def make_phantom(
    seed: int,
    size_xyz: Sequence[int] | None = None,
    spacing_xyz: Sequence[float] | None = None,
) -> Phantom:
    """Abdominal CT phantom drawn from `seed`, the same bits every time.

    `size_xyz` voxels and `spacing_xyz` mm may each be given; the seed alone decides the body, so other grids show the same
    one. Without a size the field of view holds the trunk from the hip bones to the chest; without a spacing the voxels are
    1.5 × 1.5 × 3 mm or, given a size, such that this field of view is filled.

    Raises InputError for a seed below 0, a size that is not three positive integers or a spacing that is not three positive
    numbers.
    """
    _check(seed, size_xyz, spacing_xyz)
    body = _Body.draw(int(seed))
    view = _field_of_view(body)
    if spacing_xyz is None and size_xyz is not None:
        spacing_xyz = [extent / size for extent, size in zip(view, size_xyz, strict=True)]
    spacing = [float(s) for s in (spacing_xyz or DEFAULT_SPACING_MM)]
    size = [int(n) for n in size_xyz or [max(1, round(v / s)) for v, s in zip(view, spacing, strict=True)]]
    hu, labels = _sample(body, int(seed), size, spacing)
    return Phantom(_image(hu, spacing, body), _image(labels, spacing, body), int(seed))


def _check(seed: int, size_xyz: Sequence[int] | None, spacing_xyz: Sequence[float] | None) -> None:
    if seed < 0:
        raise InputError(f"the phantom's seed is {seed}; give an integer of 0 or more")
    if size_xyz is not None and (len(size_xyz) != 3 or any(n != int(n) or n < 1 for n in size_xyz)):
        raise InputError(f"the phantom's size is {tuple(size_xyz)}; give three positive integers, x y z")
    if spacing_xyz is not None and (
        len(spacing_xyz) != 3 or not all(np.isfinite(s) and s > 0 for s in spacing_xyz)
    ):
        raise InputError(f"the phantom's spacing is {tuple(spacing_xyz)}; give three positive numbers in mm, x y z")


def _field_of_view(body: _Body) -> tuple[float, float, float]:
    trunk = body.trunk
    return 2 * trunk.half_width * body.scale + 44.0, 2 * trunk.half_depth * body.scale + 60.0, 400.0 * body.scale


def _sample(
    body: _Body, seed: int, size: list[int], spacing: list[float]
) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    shape = size[::-1]
    hu, labels = np.empty(shape, np.int16), np.zeros(shape, np.uint8)
    axes = [
        ((np.arange(n) - (n - 1) / 2) * s + c * body.scale) / body.scale
        for n, s, c in zip(size, spacing, CENTER_MM, strict=True)
    ]
    for start in range(0, shape[0], SLAB_SLICES):
        stop = min(start + SLAB_SLICES, shape[0])
        canvas = _canvas(body, (axes[0], axes[1], axes[2][start:stop]), spacing, labels[start:stop])
        _paint(body, canvas, axes)
        for index in range(start, stop):
            hu[index] = _acquire(body, np.random.default_rng([seed, 1, index]), canvas.hu[index - start], spacing)
    return hu, labels


def _canvas(
    body: _Body,
    axes: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    spacing: list[float],
    labels: NDArray[np.uint8],
) -> Canvas:
    ax, ay, az = axes
    shift = body.coarse.sample(ax, ay, az)
    shift += body.fine.sample(ax, ay, az)
    rotation = rotation_matrix(body.angles)
    straight = [
        axis.astype(np.float32).reshape([-1 if i == 2 - k else 1 for i in range(3)]) for k, axis in enumerate(axes)
    ]
    warp = 0.0
    coordinates = []
    for row in range(3):
        turned = sum(np.float32(rotation[row, k]) * straight[k] for k in range(3))
        coordinates.append(turned + shift[row])
        warp = max(warp, float(np.abs(coordinates[row] - straight[row]).max()))
    return Canvas(
        *coordinates,
        axes=axes,
        warp=warp,
        # A surface fades over about a voxel: partial volume.
        softness=float(np.mean(spacing)) / body.scale,
        texture=body.texture.sample(ax, ay, az)[0],
        hu=np.full(coordinates[0].shape, AIR_HU, np.float32),
        labels=labels,
    )


def _paint(body: _Body, canvas: Canvas, axes: Sequence[NDArray[np.float64]]) -> None:
    cavity = paint_trunk(canvas, body.trunk, body.tissue)
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
        )
    paint_spine(canvas, body.trunk, body.tissue)
    outside = trunk_distance(canvas, body.trunk)
    canvas.fill(-outside, AIR_HU)
    if body.table is not None:
        x, y = (axes[k].astype(np.float32).reshape((1, 1, -1) if k == 0 else (1, -1, 1)) for k in (0, 1))
        shape = canvas.hu.shape
        paint_table(
            canvas, np.broadcast_to(x, shape), np.broadcast_to(y, shape), body.trunk.half_depth + body.table
        )


def _acquire(
    body: _Body, rng: np.random.Generator, slice_hu: NDArray[np.float32], spacing: list[float]
) -> NDArray[np.int16]:
    """Blur by the scanner's point spread and add noise, correlated within the slice."""
    image = slice_hu
    noise = rng.standard_normal(slice_hu.shape, np.float32)
    for axis, step in ((1, spacing[0]), (0, spacing[1])):
        image = _smooth(image, axis, _gaussian_side(body.blur_mm / step))
        noise = _smooth(noise, axis, _gaussian_side(body.noise_blur))
    spread = float(noise.std())
    image = image + noise * np.float32(body.noise_hu / max(spread, 1e-6))
    return np.clip(np.rint(image), -1024, 3071).astype(np.int16)


def _gaussian_side(sigma: float) -> NDArray[np.float32]:
    radius = min(int(np.ceil(3 * sigma)), 12)
    if radius == 0:
        return np.ones(1, np.float32)
    taps = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    return (taps / (taps[0] + 2 * taps[1:].sum())).astype(np.float32)


def _smooth(image: NDArray[np.float32], axis: int, taps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Symmetric filter along one axis, the edge repeated; `taps[k]` weighs the voxels k away on either side."""
    radius = len(taps) - 1
    if radius == 0:
        return image
    padded = np.pad(image, [(radius, radius) if a == axis else (0, 0) for a in range(2)], mode="edge")
    n = image.shape[axis]

    def part(offset: int) -> NDArray[np.float32]:
        return padded[offset : offset + n] if axis == 0 else padded[:, offset : offset + n]

    result = part(radius) * taps[0]
    for k in range(1, radius + 1):
        result += (part(radius - k) + part(radius + k)) * taps[k]
    return result


def _image(array: NDArray[np.generic], spacing: list[float], body: _Body) -> SimpleITK.Image:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin([o - 0.5 * s * (n - 1) for o, s, n in zip(body.origin, spacing, array.shape[::-1], strict=True)])
    return image
