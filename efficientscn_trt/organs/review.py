"""Whether a person should look at a label map, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..io.wording import listed
from ..scan_warning import ScanWarning
from ..triples import Size, Slices
from .adult_volumes import ADULT_VOLUMES
from .appearance import in_words
from .confidence import Confidence
from .naming import canonical
from .sides import sides_of
from .statistics import Extent, OrganStatistics

LEAST_CONNECTED = 0.95
"""The share of an organ that its largest piece has at least."""

LEAST_CONFIDENCE, MOST_UNCERTAIN = 0.9, 0.4
"""Of `Confidence.mean` and `Confidence.uncertain_boundary`. docs/review.md shows what they tell apart."""

_HARMLESS = {"bundle-notice", "localizers-left-out", "duplicates-left-out"}
BORDERS = {
    "I": "inferior",
    "S": "superior",
    "A": "anterior",
    "P": "posterior",
    "R": "right",
    "L": "left",
}


@dataclass(frozen=True)
class Reason:
    """A reason to look at a label map. docs/review.md lists the codes.

    Attributes:
        code: its kind, such as "cut-off", or the code of a warning.
        organ: its name as in `statistics`; empty if the reason is no single organ.
        message: one sentence.
    """

    code: str
    organ: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Review:
    """The reasons to look at a label map; none if all rules are met."""

    reasons: tuple[Reason, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether there is a reason."""
        return bool(self.reasons)


def review_of(
    statistics: Mapping[str, OrganStatistics],
    region: Slices,
    size: Size,
    warnings: Iterable[ScanWarning],
) -> Review:
    """The reasons in `statistics` and `warnings`.

    `region` is the region of interest, as slices of the scan's own array [z, y, x]. `size` is the number of
    its voxels (x, y, z).
    """
    whole = [name for name in statistics if not is_side(name, statistics)]
    reasons = [Reason(each.code, "", each.message) for each in warnings if each.code not in _HARMLESS]
    for name in whole:
        sides = [side for side in sides_of(name) if side in statistics]
        organ = statistics[name]
        found = [name] if organ.voxels == 0 else sides or [name]
        for each in found:
            reasons += _of_size(each, statistics[each])
        if organ.extent:
            reasons += _of_place(name, organ.extent, region, size)
        if organ.confidence:
            reasons += _of_confidence(name, organ.confidence)
    return Review(tuple(reasons))


def is_side(name: str, statistics: Mapping[str, OrganStatistics]) -> bool:
    """Whether `name` is a side of another organ of `statistics`."""
    return any(name in sides_of(other) for other in statistics)


def _of_size(name: str, organ: OrganStatistics) -> Iterator[Reason]:
    shown = in_words(name)
    if organ.voxels == 0:
        yield Reason("missing", name, f"The networks found no {shown}.")
        return
    share = organ.pieces_ml[0] / organ.ml
    if share < LEAST_CONNECTED:
        message = f"Only {share:.0%} of the {shown} is connected, expected {LEAST_CONNECTED:.0%} or more."
        yield Reason("pieces", name, message)
    adults = ADULT_VOLUMES.get(canonical(name))
    if adults and not adults.low <= organ.ml <= adults.high:
        message = (
            f"The volume of the {shown} is {organ.ml:.0f} ml, expected {adults.low:.0f} to {adults.high:.0f} "
            f"ml in adults ({adults.source})."
        )
        yield Reason("volume", name, message)


def _of_place(name: str, extent: Extent, region: Slices, size: Size) -> Iterator[Reason]:
    shown = in_words(name)
    if extent.borders:
        where = listed((BORDERS[border] for border in extent.borders), " and ")
        yield Reason("cut-off", name, f"At the {where} border of the scan the {shown} may be cut off.")
    inside = [
        (own.start == part.start > 0) or (own.stop == part.stop < length)
        for own, part, length in zip(extent.voxels, region, reversed(size), strict=True)
    ]
    if any(inside):
        message = f"At the border of the region of interest the {shown} may be cut off."
        yield Reason("region-border", name, message)


def _of_confidence(name: str, confidence: Confidence) -> Iterator[Reason]:
    shown = in_words(name)
    if confidence.mean < LEAST_CONFIDENCE:
        message = (
            f"The mean confidence in the {shown} is {confidence.mean:.2f}, expected {LEAST_CONFIDENCE:.2f} "
            "or more."
        )
        yield Reason("low-confidence", name, message)
    if confidence.uncertain_boundary > MOST_UNCERTAIN:
        message = (
            f"{confidence.uncertain_boundary:.0%} of the boundary of the {shown} is uncertain, expected "
            f"{MOST_UNCERTAIN:.0%} or less."
        )
        yield Reason("uncertain-boundary", name, message)
