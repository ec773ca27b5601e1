"""Markdown's tables."""

from __future__ import annotations

import re
from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """`text` in one cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def milliseconds(seconds: float | None) -> str:
    """A dash for what is not known."""
    return "–" if seconds is None else f"{seconds * 1e3:.2f}"


def share(part: float | None, whole: float | None) -> str:
    """`part` of `whole` in percent; a dash for what is not known."""
    return "–" if part is None or not whole else f"{part / whole:.0%}"


def size_text(size: Sequence[int]) -> str:
    """Sizes as "96×128×160"."""
    return "×".join(map(str, size))
