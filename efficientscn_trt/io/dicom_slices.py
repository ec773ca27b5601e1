"""Check that the slices of a DICOM series make one volume, because ITK stacks whatever it is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError

#: By tag: its name and how many numbers it has. ITK invents a geometry where one is missing.
_GEOMETRY = {
    "0020|0032": ("position", 3),
    "0020|0037": ("orientation", 6),
    "0028|0030": ("pixel spacing", 2),
}
_GAP_TOLERANCE_MM = 0.1
_SAME_PLACE_MM = 0.01
_EQUAL = 1e-3  # cosines, and pixel spacings in mm, as they are written
_TILT = 0.01  # mm sideways per mm of depth
_ADVICE = "copy the slices of one scan into a folder of their own"


def check_slices(folder: Path, reader: sitk.ImageSeriesReader, count: int) -> list[str]:
    """Refuse `count` slices whose stack would not show the patient, and return warnings about odd ones.

    `reader` has read the slices with their metadata. Raises InputError.
    """
    where = f"The {count} slices in {folder}"
    positions, orientations, spacings = (_numbers(folder, reader, count, tag) for tag in _GEOMETRY)
    for what, values in (("orientation", orientations), ("pixel spacing", spacings)):
        if np.ptp(values, axis=0).max() > _EQUAL:
            raise InputError(f"{where} have more than one {what}, expected one; {_ADVICE}.")
    normal = np.cross(orientations[0, :3], orientations[0, 3:])
    depths = positions @ normal
    gaps = np.diff(depths)
    if gaps.min() < _SAME_PLACE_MM and gaps.max() > -_SAME_PLACE_MM:
        places = len(np.unique(depths.round(2)))
        raise InputError(
            f"{where} are at only {places} positions, so copies or several contrast phases are mixed; "
            f"{_ADVICE}."
        )
    return [*_unequal(folder, np.abs(gaps)), *_tilted(folder, positions[-1] - positions[0], normal)]


def _numbers(folder: Path, reader: sitk.ImageSeriesReader, count: int, tag: str) -> np.ndarray:
    """The numbers under `tag` of every slice, [slice, number]."""
    name, length = _GEOMETRY[tag]
    rows = [_parse(reader.GetMetaData(i, tag)) if reader.HasMetaDataKey(i, tag) else [] for i in range(count)]
    if lacking := sum(len(row) != length for row in rows):
        raise InputError(
            f"{lacking} of the {count} slices in {folder} lack their {name}, without which their geometry is "
            "unknown; export the series from the archive again."
        )
    return np.array(rows)


def _parse(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split("\\")]
    except ValueError:
        return []


def _unequal(folder: Path, gaps: np.ndarray) -> list[str]:
    if np.ptp(gaps) <= _GAP_TOLERANCE_MM:
        return []
    return [
        f"The slices in {folder} are {gaps.min():.4g} to {gaps.max():.4g} mm apart, but are treated as "
        "equally spaced: one may be missing or damaged, and the labels displaced."
    ]


def _tilted(folder: Path, way: np.ndarray, normal: np.ndarray) -> list[str]:
    """`way` leads from the first slice to the last; ITK takes its length as the depth of the stack."""
    depth = abs(way @ normal)
    sideways = float(np.linalg.norm(np.cross(way, normal)))
    if sideways <= _TILT * depth:
        return []
    excess = 100 * (np.linalg.norm(way) / depth - 1)
    return [
        f"The slices in {folder} are shifted sideways by {sideways:.3g} mm from first to last (a tilted "
        "gantry), but are treated as stacked straight: "
        f"organs are sheared, and volumes {excess:.2g} % too large."
    ]
