"""Labels of two organs, one on each side of the body."""

from __future__ import annotations

from .naming import canonical

_PAIRS: dict[str, tuple[str, ...]] = {"kidneys": ("right_kidney", "left_kidney")}


def sides_of(name: str) -> tuple[str, ...]:
    """The names of the right one and of the left one; none if the label is no pair of organs."""
    return _PAIRS.get(canonical(name), ())
