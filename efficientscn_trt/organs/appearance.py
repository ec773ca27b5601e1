"""What organs are in SNOMED CT, and the words and the colours in which they are shown."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Iterator, Mapping

from ..io.label_details import LabelDetails
from ..io.segments import STRUCTURE, TISSUE, Concept, Segment
from .naming import canonical

# Figures 2 and 3 of the paper: liver red, kidneys green, spleen blue, pancreas yellow.
_COLOURS = {
    "liver": "#ff5a52",
    "kidneys": "#3ddc84",
    "right_kidney": "#3ddc84",
    "spleen": "#5aa2ff",
    "pancreas": "#ffd23f",
}
_OTHER_COLOURS = (
    *("#ff8ad8", "#4de2e2", "#ff9f40", "#b28dff", "#c8e06a", "#e0b090"),
    *("#1fa187", "#e05a9c", "#8f9bff", "#a8f0b8", "#c77b30", "#9fd6ff"),
)

#: By the canonical name, for bundles that do not say it. Source: DICOM PS3.16, CID 7192 and CID 244.
_CONCEPTS = {
    "liver": Concept("10200004", "Liver"),
    "kidneys": Concept("64033007", "Kidney"),
    "spleen": Concept("78961009", "Spleen"),
    "pancreas": Concept("15776009", "Pancreas"),
}
_SIDES = {"kidneys": Concept("51440002", "Right and left")}


def in_words(organ: str) -> str:
    """An organ's name as in a sentence: "right kidney" for "right_kidney"."""
    return organ.replace("_", " ")


def segments_of(label_names: Mapping[int, str], details: Iterable[LabelDetails] = ()) -> tuple[Segment, ...]:
    """The labels but the background, each with its own colour: that of `details`, or that of the paper.

    What `details` do not say of the paper's organs is known. Other labels are tissue.
    """
    known = {each.name: each for each in details}
    organs = {value: known.get(name) or LabelDetails(name) for value, name in label_names.items() if value}
    colours = {value: each.colour.lower() for value, each in organs.items() if each.colour}
    for value, each in organs.items():
        papers = _COLOURS.get(canonical(each.name))
        if papers and papers not in colours.values():
            colours.setdefault(value, papers)
    spare = _other_colours(set(colours.values()))
    return tuple(_segment(value, each, colours.get(value) or next(spare)) for value, each in organs.items())


def _other_colours(taken: set[str]) -> Iterator[str]:
    """Colours that are not `taken`, without an end."""
    yield from (colour for colour in _OTHER_COLOURS if colour not in taken)
    hue = 0.0
    while True:
        hue = (hue + 0.618034) % 1.0  # the golden ratio lays each far from those before
        red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.55, 0.95))
        yield f"#{red:02x}{green:02x}{blue:02x}"


def _segment(value: int, details: LabelDetails, colour: str) -> Segment:
    name = canonical(details.name)
    kind = details.type or _CONCEPTS.get(name)
    return Segment(
        value,
        details.name,
        colour,
        details.category or (STRUCTURE if kind else TISSUE),
        kind or TISSUE,
        details.modifier or (None if details.type else _SIDES.get(name)),
    )
