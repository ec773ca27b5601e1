"""What needs a look about a scan or its label map."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScanWarning:
    """A warning that a program can act on and a person can read. docs/reading.md lists the codes.

    Attributes:
        code: its kind, such as "unequal-slices".
        message: one sentence: what was found, and what was done or is to be done.
    """

    code: str
    message: str

    def __str__(self) -> str:
        return self.message
