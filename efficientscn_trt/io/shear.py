"""Straighten a volume whose axes are not perpendicular, as of a tilted gantry."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np

from ..errors import InputError
from ..out_of_memory import memory_errors
from ..scan_warning import ScanWarning
from ..triples import triple
from .image import Image
from .orientation import Geometry
from .unread import Unread
from .wording import by_axis

#: How many times as many voxels a straight grid may have: twice the most of a long scan at 30°.
_MOST_GROWTH = 8
#: How far the last slice may be shifted: rounding, and what still counts as straight.
_ROUNDING_MM, _STRAIGHT_MM = 1e-3, 0.5
_AIR = -1024.0
_ITK = 96 << 20  # bytes that the library itself takes


def straightened(image: Image, name: str) -> Image:
    """`image` with perpendicular axes.

    A shift of up to 0.5 mm between the first slice and the last is neglected. Otherwise the volume is
    resampled linearly onto a straight grid, with a warning. That grid covers the whole volume. What is
    outside counts as air (−1024, or the smallest value). `name` is what messages call the slices.
    Raises InputError.
    """
    geometry = image.geometry
    lean = _lean(geometry)
    if lean <= _ROUNDING_MM:
        return image
    straight = straight_geometry(geometry)
    if lean <= _STRAIGHT_MM:
        geometry = replace(geometry, spacing=straight.spacing, direction=straight.direction)
        return replace(image, geometry=geometry)
    if math.prod(straight.size) > _MOST_GROWTH * math.prod(geometry.size):
        raise InputError(
            f"{name} lean so much that a straight grid would need {by_axis(straight.size)} voxels, "
            f"instead of {by_axis(geometry.size)}; resample the scan to perpendicular axes."
        )
    import SimpleITK as sitk

    from .itk import to_itk

    kind = image.array.dtype
    outside = min(_AIR, float(image.array.min()))
    if kind.kind in "iu":
        outside = max(outside, float(np.iinfo(kind).min))
    own = to_itk(image.array, geometry)
    image.array = np.empty((0, 0, 0), kind)  # frees the memory
    with memory_errors():
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
    del own
    values = sitk.GetArrayViewFromImage(resampled)
    array = np.empty(values.shape, kind)
    for plane, out in zip(values, array, strict=True):  # slice by slice, for little memory
        out[...] = np.rint(plane) if kind.kind != "f" else plane
    found = (
        "are shifted sideways against each other (a tilted gantry), so they were resampled onto a straight "
        f"grid of {by_axis(straight.size)} voxels, which the label map has too."
    )
    warning = ScanWarning("straightened", f"{name} {found}", f"The slices {found}")
    source = image.source and replace(image.source, resampled=True)
    return replace(image, array=array, geometry=straight, warnings=[*image.warnings, warning], source=source)


def to_be_straightened(scan: Unread) -> Unread:
    """`scan` as `straightened` will make it."""
    if not is_sheared(scan.geometry):
        return scan
    straight = replace(scan, geometry=straight_geometry(scan.geometry))
    held = straight.voxels * scan.dtype.itemsize
    copied = scan.voxels * scan.dtype.itemsize  # for ITK
    resampled = straight.voxels * np.dtype(np.float32).itemsize
    reading = max(scan.reading, scan.held + copied, copied + resampled, resampled + held)
    return replace(straight, reading=reading, held=held, kept=scan.kept + _ITK)


def is_sheared(geometry: Geometry) -> bool:
    """Whether the last slice is shifted by more than 0.5 mm against the first, or the last row."""
    return _lean(geometry) > _STRAIGHT_MM


def straight_geometry(geometry: Geometry) -> Geometry:
    """The straight grid that covers a sheared one, and has a voxel where that one has its first.

    Its third axis leads from slice to slice, along the table, or is perpendicular to the slices, whichever
    is nearer to an axis of the patient. So the body lies in it as in a scan that is not tilted.
    """
    directions, spacing, shear = _decomposed(geometry)
    last = np.array(geometry.size) - 1
    corners = np.array([np.array(corner) * last for corner in product((0, 1), repeat=3)]) @ shear.T
    start, stop = np.floor(corners.min(axis=0) + 1e-6), np.ceil(corners.max(axis=0) - 1e-6)
    origin = np.array(geometry.origin) + directions @ (start * spacing)
    x, y, z = (int(n) for n in stop - start + 1)  # of any size
    return Geometry((x, y, z), triple(spacing), triple(origin), tuple(directions.ravel().tolist()))


def _lean(geometry: Geometry) -> float:
    """How many mm the last row or slice is shifted against the first."""
    _, spacing, shear = _decomposed(geometry)
    shifts = (shear - np.eye(3)) * spacing[:, None] * (np.array(geometry.size) - 1)
    return float(np.abs(shifts).max())


def _decomposed(geometry: Geometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Perpendicular directions (columns), spacings in mm, and the matrix from own to straight indices.

    Source: QR decomposition of the matrix from indices to mm, whose triangle holds the shear. The column that
    comes first keeps its direction: that of the rows, or that from slice to slice.
    """
    own = np.reshape(geometry.direction, (3, 3)) * geometry.spacing
    normal, step = np.cross(own[:, 0], own[:, 1]), own[:, 2]
    order = [2, 0, 1] if _nearness(step) > _nearness(normal) + 1e-6 else [0, 1, 2]
    directions, triangle = np.linalg.qr(own[:, order])
    signs = np.sign(np.diag(triangle))
    spacing = np.abs(np.diag(triangle))
    shear = triangle * signs[:, None] / spacing[:, None]
    back = np.argsort(order)
    return (directions * signs)[:, back], spacing[back], shear[np.ix_(back, back)]


def _nearness(direction: np.ndarray) -> float:
    """The cosine between `direction` and the nearest axis of the patient."""
    return float(np.abs(direction).max() / np.linalg.norm(direction))
