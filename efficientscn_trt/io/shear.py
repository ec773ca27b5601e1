"""Straighten a volume whose axes are not perpendicular, as of a tilted gantry."""

from __future__ import annotations

from itertools import product

import numpy as np
import SimpleITK as sitk

from ..scan_warning import ScanWarning
from .image import Image
from .orientation import Geometry

_PERPENDICULAR = 0.5  # voxels by which the last slice may be shifted and still count as straight


def straightened(image: Image, name: str) -> Image:
    """`image` itself if its axes are perpendicular, else resampled onto a straight grid, with a warning.

    The straight grid has the directions of the first axis and of the plane of the first two, equal spacings
    in the slices, and covers the whole volume. Values are interpolated linearly; what is outside has the
    smallest value. `name` is what the message calls the slices.
    """
    geometry = image.geometry
    straight = straight_geometry(geometry)
    if straight is None:
        return image
    own = sitk.GetImageFromArray(image.array)
    geometry.put_on(own)
    kind, outside = image.array.dtype, float(image.array.min())
    image.array = np.empty((0, 0, 0), kind)  # frees the memory
    resampled = sitk.Resample(
        own,
        straight.size,
        sitk.Transform(),
        sitk.sitkLinear,
        straight.origin,
        straight.spacing,
        straight.direction,
        outside,
        sitk.sitkFloat32,
    )
    array = sitk.GetArrayViewFromImage(resampled)
    if kind.kind != "f":
        array = np.rint(array)
    voxels = " × ".join(str(n) for n in straight.size)
    message = (
        f"{name} are shifted sideways against each other (a tilted gantry), so they were resampled onto a "
        f"straight grid of {voxels} voxels, which the label map has too."
    )
    return Image(array.astype(kind), straight, [*image.warnings, ScanWarning("straightened", message)])


def straight_geometry(geometry: Geometry) -> Geometry | None:
    """The straight grid that covers a sheared one, or None if `geometry` is straight.

    Source: QR decomposition of the matrix from indices to mm, whose upper triangle holds the shear.
    """
    matrix = np.reshape(geometry.direction, (3, 3)) * geometry.spacing
    directions, triangle = np.linalg.qr(matrix)
    signs = np.sign(np.diag(triangle))
    directions, triangle = directions * signs, triangle * signs[:, None]
    spacing = np.diag(triangle)
    to_straight = triangle / spacing[:, None]  # from own indices to those of a straight grid
    last = np.array(geometry.size) - 1
    if np.abs((to_straight - np.eye(3)) * last).max() <= _PERPENDICULAR:
        return None
    corners = np.array([np.array(corner) * last for corner in product((0, 1), repeat=3)]) @ to_straight.T
    start, stop = np.floor(corners.min(axis=0) + 1e-6), np.ceil(corners.max(axis=0) - 1e-6)
    origin = np.array(geometry.origin) + directions @ (start * spacing)
    x, y, z = (stop - start + 1).astype(int).tolist()
    return Geometry((x, y, z), _triple(spacing), _triple(origin), tuple(directions.ravel().tolist()))


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
