"""Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Return `text` for one cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def milliseconds(seconds: float | None) -> str:
    """Return milliseconds as text; a dash if unknown."""
    return "–" if seconds is None else f"{seconds * 1e3:.2f}"


def share(part: float | None, whole: float | None) -> str:
    """Return `part` of `whole` in percent; a dash if unknown."""
    return "–" if part is None or not whole else f"{part / whole:.0%}"


def size_text(size: Sequence[int]) -> str:
    """Sizes as "96×128×160"."""
    return "×".join(map(str, size))
