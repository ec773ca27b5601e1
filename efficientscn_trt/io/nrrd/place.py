"""Where an NRRD header places its volume."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import InputError
from ...scan_warning import ScanWarning
from ..orientation import Geometry, direction_of
from ..placement import assumed, check_not_given, placed
from ..wording import excerpt
from .header import NrrdHeader

_LETTERS = {"right": "R", "left": "L", "anterior": "A", "posterior": "P", "superior": "S", "inferior": "I"}
_UNIT = re.compile(r"(milli|centi|deci|micro|nano|)met(?:er|re)s?|([mcdunµμ]?)m|(micron)s?")
_MM = {
    "m": 1.0,
    "c": 10.0,
    "d": 100.0,
    "": 1000.0,
    "u": 1e-3,
    "µ": 1e-3,
    "μ": 1e-3,
    "n": 1e-6,
    "milli": 1.0,
    "centi": 10.0,
    "deci": 100.0,
    "micro": 1e-3,
    "micron": 1e-3,
    "nano": 1e-6,
}
_NO_UNIT = ("", "?", "???", "none", "unknown")
#: The fields that a label map repeats.
_PLACE = (
    *("space", "space dimension", "space directions", "space origin", "space units"),
    *("spacings", "units", "axis mins", "axis maxs", "centerings"),
)


@np.errstate(all="ignore")  # what is not finite is refused
def geometry_of(header: NrrdHeader, orientation: str | None) -> tuple[Geometry, list[ScanWarning]]:
    """The geometry, whose axes may be sheared, and warnings about it.

    `orientation` is where the axes run if the header does not say it. Raises InputError.
    """
    name, fields = str(header.path), header.fields
    repeated = None
    if header.axes == (0, 1, 2) and fields["dimension"] == 3:
        repeated = {field: value for field, value in header.written.items() if field in _PLACE}
    directions = _directions(header)
    if directions is None:
        return _without_directions(header, orientation, repeated)
    factors, warnings = _factors(name, "space units", fields.get("space units", ()), [0, 1, 2])
    columns = _to_lps(header) @ (directions.T * factors[:, None])
    spacing = np.linalg.norm(columns, axis=0)
    origin = _origin(header, factors)
    origin = np.zeros(3) if origin is None else origin
    geometry = placed(name, header.stored.size, spacing, origin, columns / spacing, repeated)
    if _space_code(header):
        check_not_given(name, orientation)
        return geometry, warnings
    geometry, remarks = assumed(name, geometry, orientation)
    return geometry, warnings + remarks


def _directions(header: NrrdHeader) -> np.ndarray | None:
    """The vectors in the rows along which the axes run, with the spacing as their lengths."""
    found = header.fields.get("space directions")
    rows = np.asarray([] if found is None else found, np.float64)
    if not rows.size:
        return None
    if rows.ndim != 2 or len(rows) != header.fields["dimension"] or not 3 <= rows.shape[1] <= 4:
        raise InputError(
            f"The header of {header.path} has {len(rows)} space directions of {rows.shape[-1]} numbers, "
            f"expected {header.fields['dimension']} of 3; save it again."
        )
    rows = rows[list(header.axes), :3]
    missing = np.isnan(rows[:, 0])
    if missing.all():
        return None
    _check_all_three(str(header.path), "space direction", missing)
    return rows


def _without_directions(
    header: NrrdHeader, orientation: str | None, repeated: dict[str, str] | None
) -> tuple[Geometry, list[ScanWarning]]:
    """The geometry of a header that has spacings, or nothing."""
    name, fields, axes = str(header.path), header.fields, list(header.axes)
    dimension = fields["dimension"]
    spacings = _along_axes(name, "spacings", fields.get("spacings", [np.nan] * dimension), dimension)[axes]
    known = not np.isnan(spacings).all()
    if known:
        _check_all_three(name, "spacing", np.isnan(spacings))
    factors, warnings = _factors(name, "units", fields.get("units", ()), axes)
    spacings = spacings * factors if known else np.ones(3)
    origin = _origin(header, np.ones(3))
    if origin is None:
        origin = _by_minimum(header, spacings, factors)
    geometry = placed(name, header.stored.size, spacings, origin, np.eye(3), repeated)
    geometry = replace(geometry, spacing_known=known)
    geometry, remarks = assumed(name, geometry, orientation)
    return geometry, warnings + remarks


def _origin(header: NrrdHeader, factors: np.ndarray) -> np.ndarray | None:
    """The place of the first voxel in LPS, if the header has one. `factors` make its numbers mm."""
    found = header.fields.get("space origin")
    if found is None:
        return None
    origin = np.asarray(found, np.float64)
    if not 3 <= len(origin) <= 4:
        raise InputError(
            f"The header of {header.path} has a space origin of {len(origin)} numbers, expected 3; save it "
            "again."
        )
    return _to_lps(header) @ (origin[:3] * factors)


def _by_minimum(header: NrrdHeader, spacings: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The centre of the first voxel by where the axes begin, as in ITK. 0 if that is unknown."""
    fields, axes, dimension = header.fields, list(header.axes), header.fields["dimension"]
    if "axis mins" in fields and "spacings" not in fields:
        raise InputError(
            f"The header of {header.path} says where its axes begin, but has no spacings; save it again, "
            "with both."
        )
    unknown = [np.nan] * dimension
    mins = (
        _along_axes(str(header.path), "axis mins", fields.get("axis mins", unknown), dimension)[axes]
        * factors
    )
    centres = [*(word.lower() for word in fields.get("centerings", ())), *["cell"] * dimension]
    half = np.array([0.0 if centres[axis] == "node" else 0.5 for axis in axes])
    return np.where(np.isnan(mins), 0.0, mins + half * spacings)


def _check_all_three(name: str, what: str, missing: np.ndarray) -> None:
    if missing.any():
        raise InputError(
            f"The header of {name} has a {what} along only {3 - missing.sum()} of 3 axes; save it again, "
            "with all three."
        )


def _along_axes(name: str, field: str, values: Sequence[float], dimension: int) -> np.ndarray:
    found = np.asarray(values, np.float64)
    if found.shape != (dimension,):
        raise InputError(
            f"The header of {name} has {found.size} {field}, expected {dimension}; save it again."
        )
    return found


def _factors(
    name: str, field: str, units: Sequence[str], chosen: Sequence[int]
) -> tuple[np.ndarray, list[ScanWarning]]:
    """What the chosen ones of the units are in mm, and a warning if one is not mm."""
    found = [excerpt(units[index]) if index < len(units) else "" for index in chosen]
    factors = []
    for unit in found:
        match = _UNIT.fullmatch(unit.lower())
        if match is None and unit.lower() not in _NO_UNIT:
            raise InputError(
                f"The header of {name} has the {field} {unit!r}, expected a unit of length, such as mm; save "
                "it again."
            )
        factors.append(
            1.0 if match is None else _MM[next(word for word in match.groups() if word is not None)]
        )
    if set(factors) == {1.0}:
        return np.ones(3), []
    converted = (
        f"are in {', '.join(dict.fromkeys(found))} ({field}) and were converted to mm; programs that ignore "
        "the unit see the scan in another size."
    )
    warning = ScanWarning(
        "units-converted", f"The lengths in {name} {converted}", f"The lengths in the header {converted}"
    )
    return np.array(factors), [warning]


def _space_code(header: NrrdHeader) -> str:
    """The letters of the header's space, such as "RAS". Empty if it is not that of a patient."""
    space = str(header.fields.get("space", ""))
    words = space.lower().removesuffix("-time").split("-")
    code = "".join(_LETTERS.get(word, "?") for word in words) if len(words) == 3 else space.upper()
    code = code.removesuffix("T")
    try:
        direction_of(code)
    except InputError:
        return ""
    return code


def _to_lps(header: NrrdHeader) -> np.ndarray:
    """The matrix [3, 3] from the header's space to LPS, which it counts as if it is not that of a patient."""
    return np.reshape(direction_of(_space_code(header) or "LPS"), (3, 3))
