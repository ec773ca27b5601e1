"""What organs are in SNOMED CT, and the words and the colours in which they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from ..io.segments import Concept, Segment

# Figures 2 and 3 of the paper: liver red, kidneys green, spleen blue, pancreas yellow.
_COLOURS = {"liver": "#ff5a52", "kidneys": "#3ddc84", "spleen": "#5aa2ff", "pancreas": "#ffd23f"}
_OTHER_COLOURS = ("#ff8ad8", "#4de2e2", "#ff9f40", "#b28dff", "#c8e06a", "#e0b090")

#: By the name of the label. Source: DICOM PS3.16, CID 7140 and CID 244.
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


def colours(label_names: Mapping[int, str]) -> dict[int, str]:
    """A colour for each label but the background: the paper's for its organs, another for other labels."""
    organs = {value: name for value, name in label_names.items() if value}
    spare = iter(_OTHER_COLOURS * len(organs))
    return {value: _COLOURS.get(name) or next(spare) for value, name in organs.items()}


def segments_of(label_names: Mapping[int, str]) -> list[Segment]:
    """The labels but the background."""
    return [
        Segment(value, label_names[value], colour, *_meaning(label_names[value]))
        for value, colour in colours(label_names).items()
    ]


def _meaning(name: str) -> tuple[Concept | None, Concept | None]:
    return _CONCEPTS.get(name), _SIDES.get(name)
