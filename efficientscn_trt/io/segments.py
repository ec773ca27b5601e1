"""What formats for segmentations say of a label beside its voxels."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Concept:
    """A coded concept, as in DICOM: its code, what that means, and the coding scheme. SCT is SNOMED CT."""

    code: str
    meaning: str
    scheme: str = field(default="SCT", metadata={"optional": True})


STRUCTURE, TISSUE = Concept("123037004", "Anatomical Structure"), Concept("85756007", "Tissue")


@dataclass(frozen=True)
class Segment:
    """A label: its value, its name, its colour as #rrggbb, and what it is. What is not known is tissue.

    `category`, `type` and `modifier` are those of a segment in DICOM. The modifier says on which side of the
    body an organ is that there is on both.
    """

    value: int
    name: str
    colour: str
    category: Concept = TISSUE
    type: Concept = TISSUE
    modifier: Concept | None = None

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Its colour, each part from 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour[1:])
        return red, green, blue


@dataclass(frozen=True)
class Algorithm:
    """What made a label map: the name of the bundle, and the beginning of its manifest's SHA-256."""

    name: str
    version: str
