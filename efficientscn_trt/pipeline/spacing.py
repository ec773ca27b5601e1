"""The spacing that a scan is segmented with, even if its own is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import UnknownSpacing
from ..io.wording import by_axis
from ..scan_warning import ScanWarning
from ..triples import Triple

if TYPE_CHECKING:
    from ..io.orientation import Geometry


def network_spacing(geometry: Geometry, unknown: UnknownSpacing) -> tuple[Triple, list[ScanWarning]]:
    """The spacing (z, y, x) in mm of the LPS view; if it is unknown, the manifest's substitute and a warning.

    Source: the reference pipeline takes a spacing of exactly 1 mm along each axis as unknown.
    """
    if geometry.spacing != unknown.marker_xyz:
        return geometry.lps_spacing, []
    marker, used = (by_axis(spacing, ".4g") for spacing in (unknown.marker_xyz, unknown.used_xyz))
    x, y, z = unknown.used_xyz
    message = (
        f"The spacing is exactly {marker} mm, which usually means that it is unknown, so {used} mm was "
        "assumed for the segmentation and for volumes; the label map keeps the spacing of the scan. If the "
        'spacing is right, use a bundle with another "unknown_spacing" (export --parameters).'
    )
    return (z, y, x), [ScanWarning("spacing-assumed", message)]
