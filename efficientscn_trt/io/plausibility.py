"""Refuse a size, spacing or place that no abdominal CT has. Spacings are in mm.

Each check has the argument `name`: what its message calls the scan (its path, "The image" or "The array").
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..errors import InputError
from .wording import by_axis

#: The longest side of a scan, in mm.
POSSIBLE_EXTENT_MM = (10.0, 5000.0)
LEAST_SPACING_MM = 1e-3
MOST_ORIGIN_MM = 1e6


def check_shape(name: str, size: Sequence[int], components: int = 1) -> None:
    """Refuse what is not a 3-D scalar volume with at least two voxels along each axis.

    `size` is (x, y, z) in voxels. Raises InputError.
    """
    shape = by_axis(size)
    if components != 1:
        raise InputError(
            f"{name} has {components} values per voxel (colour or vector image), expected one, in HU."
        )
    if len(size) > 3:
        raise InputError(
            f"{name} has {len(size)} dimensions ({shape} voxels), expected 3; give one volume of the series."
        )
    if len(size) < 3:
        raise InputError(
            f"{name} has {len(size)} dimensions ({shape} voxels), expected 3; give the volume, not one slice."
        )
    if min(size) <= 0:
        raise InputError(f"{name} is empty ({shape} voxels).")
    if min(size) < 2:
        raise InputError(
            f"{name} has {shape} voxels, expected at least 2 along each axis; "
            "give the whole volume (for DICOM, the folder of the series)."
        )


def check_spacing(name: str, spacing: Sequence[float]) -> None:
    """Refuse a spacing (x, y, z) in mm that is not three positive numbers.

    Raises InputError.
    """
    if len(spacing) != 3 or not all(math.isfinite(value) and value > 0 for value in spacing):
        found = by_axis(spacing, "g")
        raise InputError(f"{name} has the spacing {found} mm, expected three positive numbers (x, y, z).")


def check_extent(name: str, size: Sequence[int], spacing: Sequence[float]) -> None:
    """Refuse a scan whose longest side or smallest spacing shows that its spacing is not in mm.

    Raises InputError.
    """
    if min(spacing) < LEAST_SPACING_MM:
        found = by_axis(spacing, "g")
        raise InputError(
            f"{name} has the spacing {found} mm, expected at least {LEAST_SPACING_MM:g} mm; its spacing must "
            "be in mm."
        )
    extent = max(n * s for n, s in zip(size, spacing, strict=True))
    low, high = POSSIBLE_EXTENT_MM
    if not low <= extent <= high:
        raise InputError(
            f"{name} has a longest side of {extent:g} mm, expected {low:g} to {high:g} mm; its spacing must "
            "be in mm."
        )


def check_place(name: str, origin: Sequence[float], direction: Sequence[float]) -> None:
    """Refuse an origin in mm that is not finite or far off, or direction cosines (3×3) that are not finite.

    Raises InputError.
    """
    for what, values in (("origin", origin), ("direction", direction)):
        if not all(math.isfinite(value) for value in values):
            raise InputError(f"{name} has NaN or infinity in its {what}, expected numbers; save it again.")
    if max(map(abs, origin)) > MOST_ORIGIN_MM:
        raise InputError(
            f"{name} has the origin {by_axis(origin, 'g')} mm, expected at most {MOST_ORIGIN_MM:g} mm along "
            "each axis; save it again."
        )
