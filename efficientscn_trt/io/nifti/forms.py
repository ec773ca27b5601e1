"""Where a NIfTI header places its volume.

A header does so by a matrix (sform), by a rotation with the spacing of pixdim (qform), by both, or not at
all. As in nibabel, the sform counts if it is there, else the qform.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.orientations import aff2axcodes
from nibabel.spatialimages import HeaderDataError

from ...errors import InputError
from ...scan_warning import ScanWarning
from ...triples import Triple, triple
from ..orientation import Geometry
from ..placement import NOT_FINITE, assumed, check_not_given, fault_of
from ..plausibility import check_spacing
from ..wording import by_axis
from .header import NiftiHeader

_CODES = range(1, 6)  # of forms that are there
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
_MM = {1: 1000.0, 3: 0.001}  # by the code of the unit: metres and micrometres; all else are mm
_ROUNDING = 1e-5  # relative, between a spacing in pixdim and in the sform
_NO_SPACING = (1.0, 1.0, 1.0)
_SAME_PLACE_MM = 0.1  # two forms that differ by less are one


@np.errstate(all="ignore")  # what is not finite is refused or passed over
def geometry_of(header: NiftiHeader, orientation: str | None) -> tuple[Geometry, list[ScanWarning]]:
    """The geometry, whose axes may be sheared, and warnings about it.

    `orientation` is where the axes run if the header does not say it. Raises InputError.
    """
    fields, path, pixdim = header.fields, header.header_file, header.pixdim
    unit, forms = 1.0, {}
    if isinstance(fields, Nifti1Header):
        unit = _MM.get(int(fields["xyzt_units"]) & 7, 1.0)
        forms = _forms(fields, pixdim)
    faults = {name: _fault(matrix) for name, matrix in forms.items()}
    taken = next((name for name, fault in faults.items() if not fault), None)
    if not forms:
        return _unoriented(header, triple(pixdim * unit), orientation)
    if taken is None:
        check_spacing(str(path), triple(pixdim * unit))
    if taken is None:
        raise InputError(
            f"The header of {path} does not place the scan, because "
            f"{' and '.join(f'its {name} {fault}' for name, fault in faults.items())}; save it again."
        )
    check_not_given(str(path), orientation)
    matrix = _RAS_TO_LPS @ forms[taken][:3] * unit
    spacing = np.linalg.norm(matrix[:, :3], axis=0)
    direction = matrix[:, :3] / spacing
    if np.allclose(spacing, pixdim * unit, rtol=_ROUNDING, atol=0):
        spacing = pixdim * unit  # as it was before the matrix was rounded
    geometry = Geometry(
        header.size,
        triple(spacing),
        triple(matrix[:, 3] + 0.0),  # which makes -0.0 to 0.0
        tuple((direction + 0.0).ravel().tolist()),
        fields,
    )
    return geometry, [*_odd_fields(header), *_differences(header, forms, taken, unit)]


def _unoriented(
    header: NiftiHeader, spacing: Triple, orientation: str | None
) -> tuple[Geometry, list[ScanWarning]]:
    """The geometry of a header without a form. Programs that know no spacing either write 0 or 1 mm."""
    known = spacing not in ((0.0, 0.0, 0.0), _NO_SPACING)
    spacing = spacing if known else _NO_SPACING
    check_spacing(str(header.header_file), spacing)
    geometry = Geometry(header.size, spacing, header=header.fields, spacing_known=known)
    return assumed(str(header.header_file), geometry, orientation)


def _forms(fields: Nifti1Header, pixdim: np.ndarray) -> dict[str, np.ndarray]:
    """The matrices [4, 4] from indices to positions, by name. The one that counts is the first."""
    forms = {}
    if fields["sform_code"] in _CODES:
        forms["sform"] = fields.get_sform()
    if fields["qform_code"] in _CODES:
        repaired = fields.copy()
        repaired["pixdim"][1:4] = pixdim
        if repaired["pixdim"][0] not in (-1, 1):
            repaired["pixdim"][0] = 1
        try:
            forms["qform"] = repaired.get_qform()
        except (HeaderDataError, ValueError):  # no rotation
            forms["qform"] = np.full((4, 4), np.nan)
    return forms


def _fault(form: np.ndarray) -> str:
    """Why a form cannot be used. Empty if it can."""
    return fault_of(form[:3, :3]) if np.isfinite(form).all() else NOT_FINITE


def _odd_fields(header: NiftiHeader) -> list[ScanWarning]:
    """Warnings of what nibabel corrects in silence, and other programs do not."""
    fields, found = header.fields, []
    if (fields["pixdim"][1:4] < 0).any():
        found.append("has a negative spacing (pixdim), whose sign was ignored")
    if fields["qform_code"] in _CODES and fields["pixdim"][0] < 0 and fields["pixdim"][0] != -1:
        found.append(f"has the qfac {fields['pixdim'][0]:g} (pixdim), expected 1 or -1, so 1 was used")
    for name in ("sform", "qform"):
        if (code := int(fields[f"{name}_code"])) not in (0, *_CODES):
            found.append(f"has the {name} code {code}, expected 0 to 5, so its {name} was ignored")
    path = header.header_file
    return [_warning(path, f"{what}; other programs may mirror or move the scan.") for what in found]


def _differences(
    header: NiftiHeader, forms: dict[str, np.ndarray], taken: str, unit: float
) -> list[ScanWarning]:
    """A warning if other programs may place the volume elsewhere."""
    matrix = forms[taken]
    others = {name: other for name, other in forms.items() if name != taken}
    if not others:  # ITK takes the spacing of pixdim also where the directions are those of the sform
        scaled = matrix.copy()
        scaled[:3, :3] *= header.pixdim / np.linalg.norm(matrix[:3, :3], axis=0)
        others = {"pixdim": scaled}
    ((name, other),) = others.items()
    if fault := _fault(other):
        found = f"differ, and the {name} {fault}"
    else:
        corners = np.array([*product(*((0, n - 1) for n in header.size), (1,))])
        distance = np.linalg.norm((corners @ (matrix - other).T)[:, :3], axis=1).max() * unit
        if distance <= _SAME_PLACE_MM:
            return []
        found = f"differ by up to {distance:,.1f} mm{_in_words(matrix, other, unit)}"
    ways = (
        f"places the scan in two ways: its {taken} and its {name} {found}. The {taken} was used; other "
        f"programs may use the {name}."
    )
    return [_warning(header.header_file, ways)]


def _warning(path: Path, found: str) -> ScanWarning:
    return ScanWarning("forms-differ", f"The header of {path} {found}", f"The header {found}")


def _in_words(matrix: np.ndarray, other: np.ndarray, unit: float) -> str:
    """What differs, if it is the orientation or the spacing."""
    codes = ["".join(aff2axcodes(form)) for form in (matrix, other)]
    if codes[0] != codes[1]:
        return f" ({' and '.join(codes)})"
    first, second = (np.linalg.norm(form[:3, :3], axis=0) * unit for form in (matrix, other))
    if np.allclose(first, second, rtol=1e-3):
        return ""
    return f" (spacings of {by_axis(first, '.4g')} and {by_axis(second, '.4g')} mm)"
