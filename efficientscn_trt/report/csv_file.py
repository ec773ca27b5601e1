"""Write a table as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..io.atomic import replacing

_DIGITS = {"ml": 2, "hu": 2}  # of numbers, by the ending of their column
_OTHER_DIGITS = 3


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write `rows`, mappings from columns to values, to `path`. Raises OutputError."""
    with (
        replacing(path) as temporary,
        # A name may have bytes that are no UTF-8.
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream,
    ):
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows({name: _text(name, value) for name, value in row.items()} for row in rows)


def _text(column: str, value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return value
    return f"{value:.{_DIGITS.get(column[-2:], _OTHER_DIGITS)}f}"
