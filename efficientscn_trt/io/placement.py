"""From what a header says of a volume's place to its geometry. What it does not say is assumed, and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..scan_warning import ScanWarning
from ..triples import Size, triple
from .orientation import Geometry, Header, direction_of
from .plausibility import check_spacing

_LEAST_VOLUME = 0.7  # of a voxel, relative to its edges: axes that lean by up to 45°
NOT_FINITE = "is not finite or no rotation"
_UNIT_LENGTH = 1e-5  # how far the length of a direction may be from 1


@np.errstate(all="ignore")  # what is not finite is a fault
def fault_of(matrix: np.ndarray) -> str:
    """Why the axes in the columns of `matrix` [3, 3] cannot be those of a volume. Empty if they can."""
    if not np.isfinite(matrix).all():
        return NOT_FINITE
    edges = np.linalg.norm(matrix, axis=0)
    if not edges.all() or not np.isfinite(edges).all():
        return "leaves no volume"
    if np.abs(np.linalg.det(matrix / edges)) < _LEAST_VOLUME:
        return "has axes that lean by more than 45°"
    return ""


def placed(
    name: str,
    size: Size,
    spacing: Sequence[float] | np.ndarray,
    origin: Sequence[float] | np.ndarray,
    direction: np.ndarray,
    header: Header | None = None,
) -> Geometry:
    """The geometry of a header that has one, in LPS and mm. Its axes may be sheared.

    `direction` [3, 3] has the axes in its columns. If their lengths are not 1, they scale the spacing.
    `header` is for the label map, as in `Geometry`. Raises InputError.
    """
    check_spacing(name, triple(spacing))
    if fault := fault_of(direction):
        raise InputError(
            f"{name} does not say where the scan is, because its direction {fault}; save it again."
        )
    lengths = np.linalg.norm(direction, axis=0)
    if not np.allclose(lengths, 1, rtol=0, atol=_UNIT_LENGTH):
        direction, spacing = direction / lengths, lengths * spacing
    values = tuple((direction + 0.0).ravel().tolist())  # which makes -0.0 to 0.0
    return Geometry(size, triple(spacing), triple(origin), values, header)


def assumed(name: str, geometry: Geometry, orientation: str | None) -> tuple[Geometry, list[ScanWarning]]:
    """`geometry`, whose orientation a header does not say, with `orientation` or a warning."""
    if orientation is not None:
        return replace(geometry, direction=direction_of(orientation)), []
    found = (
        "does not say how the scan is oriented, so its axes were assumed to run to the left, to the back and "
        "to the head (LPS); if they do not, give the right orientation (--orientation)."
    )
    warning = ScanWarning("orientation-assumed", f"The header of {name} {found}", f"The header {found}")
    return geometry, [warning]


def check_not_given(name: str, orientation: str | None) -> None:
    """Refuse an orientation for a header that has one. Raises InputError."""
    if orientation is not None:
        raise InputError(
            f"The orientation {orientation} was given, but the header of {name} has one; leave it out."
        )
