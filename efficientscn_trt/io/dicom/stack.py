"""Put frames in order and check that they make one volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ...scan_warning import ScanWarning
from ..orientation import Geometry
from .frames import Frame

_SAME_PLACE_MM = 0.01
_EQUAL = 1e-3  # cosines, and pixel spacings in mm, as they are written
_GAP_TOLERANCE_MM = 0.1
_FARTHEST_MM = 5.0  # that a slice may lie from its place in equally spaced slices
_SIDEWAYS_MM = 1.0  # that a slice may lie from the line through all positions
_STEEPEST = 1.0  # mm sideways per mm of depth; gantries tilt by 30° at most
_ADVICE = "copy the slices of one scan into a folder of their own"


@dataclass(frozen=True)
class Stack:
    """Frames in the order of their positions along their normal, and the geometry of the volume.

    The third axis of the geometry leads from slice to slice. It is not perpendicular to the others if the
    gantry was tilted.
    """

    frames: list[Frame]
    geometry: Geometry
    warnings: list[ScanWarning]


def stack(name: str, frames: Sequence[Frame]) -> Stack:
    """Order `frames`; `name` is what messages call them.

    Raises InputError if frames lack their geometry, differ in size, orientation or pixel spacing, lie at one
    position or are so far from equally spaced that the labels would be displaced.
    """
    sizes = {frame.size for frame in frames}
    if len(sizes) > 1:
        found = ", ".join(f"{columns} × {rows}" for columns, rows in sorted(sizes))
        raise InputError(f"{name} differ in size ({found} pixels), expected one size; {_ADVICE}.")
    positions = _all(name, "position", [frame.position for frame in frames])
    orientations = _all(name, "orientation", [frame.orientation for frame in frames])
    spacings = _all(name, "pixel spacing", [frame.spacing for frame in frames])
    for what, numbers in (("orientation", orientations), ("pixel spacing", spacings)):
        if np.ptp(numbers, axis=0).max() > _EQUAL:
            raise InputError(f"{name} have more than one {what}, expected one; {_ADVICE}.")
    rows, columns = _perpendicular(name, orientations[0])
    normal = np.cross(rows, columns)
    order = np.argsort(positions @ normal, kind="stable")
    positions = positions[order]
    gaps = np.diff(positions @ normal)
    if (gaps < _SAME_PLACE_MM).any():
        places = 1 + np.count_nonzero(gaps >= _SAME_PLACE_MM)
        raise InputError(
            f"{name} are at only {places} positions, so several contrast phases or reconstructions are "
            f"mixed; {_ADVICE}."
        )
    _check_line(name, positions, normal)
    step = (positions[-1] - positions[0]) / max(len(frames) - 1, 1)
    depth = float(np.linalg.norm(step))
    row_spacing, column_spacing = spacings[0]
    first, slices = positions[0], step / depth if depth else normal
    geometry = Geometry(
        size=(*frames[0].size, len(frames)),
        spacing=(float(column_spacing), float(row_spacing), depth or 1.0),
        origin=(float(first[0]), float(first[1]), float(first[2])),
        direction=tuple(np.stack([rows, columns, slices], axis=1).ravel().tolist()),
    )
    return Stack([frames[i] for i in order], geometry, _unequal(name, gaps))


def _all(name: str, what: str, values: Sequence[np.ndarray | None]) -> np.ndarray:
    if lacking := sum(value is None for value in values):
        raise InputError(
            f"{lacking} of {name[0].lower()}{name[1:]} lack{'s' * (lacking == 1)} a usable {what}, without "
            "which the geometry is unknown; export the series from the archive again."
        )
    return np.array(values)


def _perpendicular(name: str, orientation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The unit vectors along rows and columns."""
    rows, columns = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(rows), np.linalg.norm(columns)
    if np.abs(np.array(lengths) - 1).max() > 10 * _EQUAL or abs(rows @ columns) > 10 * _EQUAL:
        found = "\\".join(f"{value:g}" for value in orientation)
        raise InputError(
            f"{name} have the orientation {found}, expected two perpendicular directions of length 1; export "
            "the series from the archive again."
        )
    rows = rows / lengths[0]
    columns = columns - (columns @ rows) * rows
    return rows, columns / np.linalg.norm(columns)


def _check_line(name: str, positions: np.ndarray, normal: np.ndarray) -> None:
    """Refuse slices whose positions lie on no straight line, or on one that leans too much."""
    depths = (positions - positions[0]) @ normal
    if len(positions) < 2:
        return
    step = (positions[-1] - positions[0]) / depths[-1]
    if np.linalg.norm(np.cross(step, normal)) > _STEEPEST:
        raise InputError(
            f"{name} are shifted sideways by more than they are apart, expected at most as much; {_ADVICE}."
        )
    line = np.polynomial.polynomial.polyfit(depths, positions, 1)
    beside = np.abs(positions - line[0] - np.outer(depths, line[1])).max()
    if beside > _SIDEWAYS_MM:
        raise InputError(
            f"{name} do not lie in a straight row: one is {beside:.3g} mm beside it, expected at most "
            f"{_SIDEWAYS_MM:g} mm; {_ADVICE}."
        )


def _unequal(name: str, gaps: np.ndarray) -> list[ScanWarning]:
    if len(gaps) < 2 or np.ptp(gaps) <= _GAP_TOLERANCE_MM:
        return []
    depths = np.concatenate([[0], np.cumsum(gaps)])
    displaced = np.abs(depths - np.linspace(0, depths[-1], len(depths))).max()
    found = f"{name} are {gaps.min():.4g} to {gaps.max():.4g} mm apart"
    if displaced > _FARTHEST_MM:
        raise InputError(
            f"{found}, expected equal distances: labels would be displaced by up to {displaced:.3g} mm; copy "
            f"the slices that are missing, or {_ADVICE}."
        )
    message = (
        f"{found}, but are treated as equally spaced: one may be missing, and labels are displaced by up to "
        f"{displaced:.2g} mm."
    )
    return [ScanWarning("unequal-slices", message)]
