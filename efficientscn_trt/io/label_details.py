"""What a bundle says of a label beside its name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .segments import Concept
from .wording import shown

_OPTIONAL = {"optional": True}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LONGEST_CODE, _LONGEST_MEANING = 16, 64  # characters, of DICOM's value representations SH and LO


@dataclass(frozen=True)
class LabelDetails:
    """A label: its name, its colour as #rrggbb, and what it is, as in DICOM.

    `category` is such as Anatomical Structure (DICOM PS3.16, CID 7150), `type` such as Kidney (CID 7192), and
    `modifier` such as Right (CID 244).
    """

    name: str
    colour: str | None = field(default=None, metadata=_OPTIONAL)
    category: Concept | None = field(default=None, metadata=_OPTIONAL)
    type: Concept | None = field(default=None, metadata=_OPTIONAL)
    modifier: Concept | None = field(default=None, metadata=_OPTIONAL)

    def fault(self) -> str:
        """What is wrong with the colour or a concept, as "the colour 'red', expected ..."; "" if nothing."""
        if self.colour is not None and not _COLOUR.fullmatch(self.colour):
            return f"the colour {shown(self.colour)}, expected such as '#ff5a52'"
        for concept in filter(None, (self.category, self.type, self.modifier)):
            for text, longest, kind in (
                (concept.scheme, _LONGEST_CODE, "printable ASCII"),
                (concept.code, _LONGEST_CODE, "printable ASCII"),
                (concept.meaning, _LONGEST_MEANING, "printable"),
            ):
                plain = text.isascii() or kind == "printable"
                fits = text.strip() and len(text) <= longest and "\\" not in text
                if not (text.isprintable() and plain and fits):
                    expected = f"expected 1 to {longest} {kind} characters without backslash"
                    return f"{shown(text)} in a concept, {expected}"
        return ""
