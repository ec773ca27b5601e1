"""Labels of two organs, one on each side of the body."""

from __future__ import annotations

#: The names of the right one and of the left one.
PAIRS: dict[str, tuple[str, ...]] = {"kidneys": ("right_kidney", "left_kidney")}
