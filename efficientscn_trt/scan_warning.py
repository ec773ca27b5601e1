"""What needs a look about a scan or its label map."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class ScanWarning:
    """A warning that a program can act on and a person can read. docs/reading.md lists the codes.

    Attributes:
        code: its kind, such as "unequal-slices".
        message: one sentence: what was found, and what was done or is to be done.
        nameless: the same without what may name a patient: names of files and folders, and text of headers.
            Empty if nobody wrote it.
    """

    code: str
    message: str
    nameless: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return self.message

    def without_names(self) -> ScanWarning:
        """The same warning with `nameless` as its message, or with a sentence that says what is missing."""
        sentence = self.nameless or f"The sentence of a warning ({self.code}) may name the patient: left out."
        return replace(self, message=sentence, nameless=sentence)

    def described(self) -> dict[str, str]:
        """Its code and its message, for a document."""
        return {"code": self.code, "message": self.message}
