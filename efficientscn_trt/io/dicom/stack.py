"""Put frames in order and check that they make one volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ...scan_warning import ScanWarning
from ..orientation import Geometry
from ..plausibility import check_place
from ..wording import counted, listed
from .frames import Frame

_SAME_PLACE_MM = 0.01
_EQUAL = 2e-3  # cosines, and pixel spacings in mm, as they are written
_STEEPEST = 1.0  # mm sideways per mm of depth; gantries tilt by 30° at most
#: How far slices may lie from equally spaced ones on a straight line: in silence, and at all.
_UNEQUAL_GAPS_MM = 0.1
_DISPLACED_MM, _FARTHEST_MM = 0.5, 5.0
_BESIDE_MM, _FARTHEST_BESIDE_MM = 0.2, 1.0
_ADVICE = "give the files of one scan only"


@dataclass(frozen=True)
class Stack:
    """Frames in the order of their positions along their normal, and the geometry of the volume.

    The third axis of the geometry leads from slice to slice. It is not perpendicular to the others if the
    gantry was tilted.
    """

    frames: list[Frame]
    geometry: Geometry
    warnings: list[ScanWarning]


@np.errstate(all="ignore")  # what is not finite is refused
def stack(name: str, frames: Sequence[Frame]) -> Stack:
    """Order at least two `frames`; `name` is what messages call them.

    Raises InputError if frames lack their geometry, differ in size, orientation or pixel spacing, lie at one
    position or are so far from equally spaced that the labels would be displaced.
    """
    sizes = {frame.size for frame in frames}
    if len(sizes) > 1:
        found = ", ".join(f"{columns} × {rows}" for columns, rows in sorted(sizes))
        raise InputError(f"{name} differ in size ({found} pixels), expected one size; {_ADVICE}.")
    positions = _all(name, frames, "position", [frame.position for frame in frames])
    orientations = _all(name, frames, "orientation", [frame.orientation for frame in frames])
    spacings = _all(name, frames, "pixel spacing", [frame.spacing for frame in frames])
    for what, numbers in (("orientation", orientations), ("pixel spacing", spacings)):
        if np.ptp(numbers, axis=0).max() > _EQUAL:
            raise InputError(f"{name} have more than one {what}, expected one; {_ADVICE}.")
    farthest = int(np.abs(positions).max(axis=1).argmax())
    check_place(str(frames[farthest].instance.file), positions[farthest], orientations[farthest])
    rows, columns = _perpendicular(name, orientations[0])
    normal = np.cross(rows, columns)
    order = np.argsort(positions @ normal, kind="stable")
    positions = positions[order]
    gaps = np.diff(positions @ normal)
    if (gaps < _SAME_PLACE_MM).any():
        places = 1 + int(np.count_nonzero(gaps >= _SAME_PLACE_MM))
        raise InputError(
            f"{name} are at only {counted(places, 'position')}, so several contrast phases or "
            f"reconstructions are mixed; {_ADVICE}."
        )
    step = (positions[-1] - positions[0]) / len(gaps)
    depth = float(np.linalg.norm(step))
    if np.linalg.norm(np.cross(step, normal)) > _STEEPEST * abs(step @ normal):
        raise InputError(
            f"{name} are shifted sideways by more than they are apart, expected at most as much; {_ADVICE}."
        )
    row_spacing, column_spacing = spacings[0]
    geometry = Geometry(
        size=(*frames[0].size, len(frames)),
        spacing=(float(column_spacing), float(row_spacing), depth),
        origin=(float(positions[0, 0]), float(positions[0, 1]), float(positions[0, 2])),
        direction=tuple(np.stack([rows, columns, step / depth], axis=1).ravel().tolist()),
    )
    return Stack([frames[i] for i in order], geometry, _unequal(name, positions, normal))


def _all(name: str, frames: Sequence[Frame], what: str, values: Sequence[np.ndarray | None]) -> np.ndarray:
    lacking = [frame.file for frame, value in zip(frames, values, strict=True) if value is None]
    if lacking:
        files = listed(sorted(set(lacking)))
        raise InputError(
            f"{len(lacking)} of {name[0].lower()}{name[1:]} lack{'s' * (len(lacking) == 1)} a usable {what} "
            f"({files}), without which the geometry is unknown; export the series from the archive again."
        )
    return np.array(values)


def _perpendicular(name: str, orientation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The unit vectors along rows and columns."""
    rows, columns = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(rows), np.linalg.norm(columns)
    if not (np.abs(np.array(lengths) - 1).max() <= 10 * _EQUAL and abs(rows @ columns) <= 10 * _EQUAL):
        found = "\\".join(f"{value:g}" for value in orientation)
        raise InputError(
            f"{name} have the orientation {found}, expected two perpendicular directions of length 1; export "
            "the series from the archive again."
        )
    rows = rows / lengths[0]
    columns = columns - (columns @ rows) * rows
    return rows, columns / np.linalg.norm(columns)


def _unequal(name: str, positions: np.ndarray, normal: np.ndarray) -> list[ScanWarning]:
    """Refuse or warn of slices that are not where equally spaced slices on a straight line would be."""
    share = np.linspace(0, 1, len(positions))[:, None]
    away = positions - positions[0] - share * (positions[-1] - positions[0])
    displaced, beside = np.abs(away @ normal).max(), np.linalg.norm(np.cross(away, normal), axis=1).max()
    gaps = np.diff(positions @ normal)
    apart = f"are {gaps.min():.4g} to {gaps.max():.4g} mm apart"
    if displaced > _FARTHEST_MM:
        raise InputError(
            f"{name} {apart}, expected equal distances: labels would be displaced by up to {displaced:.3g} "
            f"mm; copy the slices that are missing, or {_ADVICE}."
        )
    if beside > _FARTHEST_BESIDE_MM:
        raise InputError(
            f"{name} do not lie in a straight row: one is {beside:.3g} mm beside it, expected at most "
            f"{_FARTHEST_BESIDE_MM:g} mm; {_ADVICE}."
        )
    warnings = []
    if np.ptp(gaps) > _UNEQUAL_GAPS_MM or displaced > _DISPLACED_MM:
        found = (
            f"{apart}, but are treated as equally spaced: one may be missing or doubled, and labels are "
            f"displaced by up to {displaced:.2g} mm."
        )
        warnings.append(ScanWarning("unequal-slices", f"{name} {found}", f"The slices {found}"))
    if beside > _BESIDE_MM:
        found = f"do not lie in a straight row: labels are up to {beside:.2g} mm beside them."
        warnings.append(ScanWarning("crooked-slices", f"{name} {found}", f"The slices {found}"))
    return warnings
