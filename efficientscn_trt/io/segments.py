"""What formats for segmentations say of a label beside its voxels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Concept:
    """A concept of SNOMED CT: its code, and what that means."""

    code: str
    meaning: str


_STRUCTURE, _TISSUE = Concept("123037004", "Anatomical Structure"), Concept("85756007", "Tissue")


@dataclass(frozen=True)
class Segment:
    """A label: its value, its name, its colour as #rrggbb, and what it is, if that is known.

    `side` is the concept of the side of the body, for an organ that there is on both.
    """

    value: int
    name: str
    colour: str
    concept: Concept | None = None
    side: Concept | None = None

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Its colour, each part from 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour[1:])
        return red, green, blue

    @property
    def category(self) -> Concept:
        """Of what category it is: what is not known is tissue."""
        return _STRUCTURE if self.concept else _TISSUE

    @property
    def kind(self) -> Concept:
        """What it is: what is not known is tissue."""
        return self.concept or _TISSUE


@dataclass(frozen=True)
class Algorithm:
    """What made a label map: the name of the bundle, and the beginning of its manifest's SHA-256."""

    name: str
    version: str
