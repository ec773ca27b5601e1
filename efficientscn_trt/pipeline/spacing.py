"""The spacing that a scan is segmented with, even if its own is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..bundle import UnknownSpacing
from ..io.wording import by_axis
from ..scan_warning import ScanWarning
from ..triples import Triple

if TYPE_CHECKING:
    from ..io.orientation import Geometry

_DEFAULT = (1.0, 1.0, 1.0)
_DOUBTFUL = (
    f"The spacing is exactly {by_axis(_DEFAULT, 'g')} mm and the origin 0, as in an image that was never "
    "given any; the spacing was taken as it is, so check that it is right."
)


def network_spacing(geometry: Geometry, unknown: UnknownSpacing) -> tuple[Triple, list[ScanWarning]]:
    """The spacing (z, y, x) in mm of the LPS view; if it is unknown, the manifest's substitute and a warning.

    There is also a warning if spacing, origin and axes are those of an image that was never given any.
    """
    if not geometry.spacing_known or (unknown.by_value and geometry.spacing == unknown.marker_xyz):
        return _substitute(geometry, unknown)
    warnings = [ScanWarning("spacing-doubtful", _DOUBTFUL, _DOUBTFUL)] if _is_default(geometry) else []
    return geometry.lps_spacing, warnings


def _is_default(geometry: Geometry) -> bool:
    along_axes = bool(np.isin(np.abs(geometry.direction), (0, 1)).all())
    return geometry.spacing == _DEFAULT and not any(geometry.origin) and along_axes


def _substitute(geometry: Geometry, unknown: UnknownSpacing) -> tuple[Triple, list[ScanWarning]]:
    own, used = (by_axis(spacing, ".4g") for spacing in (geometry.spacing, unknown.used_xyz))
    x, y, z = unknown.used_xyz
    if geometry.spacing_known:
        reason = f"The spacing is exactly {own} mm, which this bundle takes as unknown"
        remedy = (
            'if it is right, use a bundle whose "unknown_spacing" is not "by_value" (export --parameters)'
        )
    else:
        reason = "The file does not say its spacing"
        remedy = "save the scan with its spacing"
    message = (
        f"{reason}, so {used} mm was assumed for the segmentation and for volumes; {remedy}. The label map "
        f"has the spacing {own} mm."
    )
    return (z, y, x), [ScanWarning("spacing-assumed", message, message)]
