"""How large the organs of adults are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VolumeRange:
    """Two standard deviations around the mean of adults, in ml, and who measured them."""

    low: float
    high: float
    source: str


# From two SD below the median of women's right kidneys to two SD above that of men's left ones. The SD is the
# distance of the quartiles, divided by 1.349.
_KIDNEY = VolumeRange(86, 244, "Dabers 2024, doi:10.3390/jcm13030769")

#: By the canonical name of the label or of its side.
ADULT_VOLUMES = {
    "liver": VolumeRange(735, 2275, "Kromrey 2018, doi:10.1016/j.ejrad.2018.07.005"),
    "right_kidney": _KIDNEY,
    "left_kidney": _KIDNEY,
    "spleen": VolumeRange(22, 374, "Caglar 2014, Folia Morphol 73(3)"),
    "pancreas": VolumeRange(21, 124, "Saisho 2007, doi:10.1002/ca.20543"),
}
