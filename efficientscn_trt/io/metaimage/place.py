"""Where the header of a MetaImage places its volume, in LPS and mm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...errors import InputError
from ...scan_warning import ScanWarning
from ..orientation import LPS, Geometry
from ..placement import assumed, check_not_given, placed
from ..wording import excerpt
from .header import MetaImageHeader

_MM = ("mm", "?", "")


def geometry_of(header: MetaImageHeader, orientation: str | None) -> tuple[Geometry, list[ScanWarning]]:
    """The geometry, whose axes may be sheared, and a warning if the header has no orientation.

    `orientation` is where the axes run if the header does not say it. Raises InputError.
    """
    name, axes = str(header.path), header.axes
    if (unit := excerpt(header.values.get("DistanceUnits", ""))).lower() not in _MM:
        raise InputError(
            f"The header of {name} has DistanceUnits = {unit}, expected mm, which other programs assume; "
            "save it again, in mm."
        )
    spacing = header.numbers("ElementSpacing", count=axes) or header.numbers("ElementSize", count=axes)
    origin = header.numbers("Offset", "Position", "Origin", count=axes) or [0.0] * axes
    matrix = header.numbers("TransformMatrix", "Rotation", "Orientation", count=axes * axes)
    rows = np.reshape(matrix or LPS, (-1, axes if matrix else 3))[:3, :3]  # an axis in each
    geometry = placed(name, header.size, (spacing or [1.0] * axes)[:3], origin[:3], rows.T)
    geometry = replace(geometry, spacing_known=spacing is not None)
    if matrix is None:
        return assumed(name, geometry, orientation)
    check_not_given(name, orientation)
    return geometry, []
