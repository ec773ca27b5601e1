"""The table of organs on a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..organs import OrganStatistics
from ..organs.review import BORDERS, is_side
from .wording import format_ml, shown_name

NONE = "–"


@dataclass(frozen=True)
class Row:
    """An organ, or a side of one. `value` is that of its label, None for a side."""

    name: str
    value: int | None
    cells: tuple[str, ...]


def _hu(organ: OrganStatistics) -> str:
    return f"{_whole(organ.hu.mean)} ± {_whole(organ.hu.sd)}" if organ.hu else NONE


def _percentiles(organ: OrganStatistics) -> str:
    if organ.hu is None:
        return NONE
    return " / ".join(map(_whole, (organ.hu.p5, organ.hu.median, organ.hu.p95)))


def _whole(value: float) -> str:
    """A whole number with a minus sign, which is as wide as a digit."""
    return str(round(value)).replace("-", "−")


def _pieces(organ: OrganStatistics) -> str:
    count = len(organ.pieces_ml)
    if count < 2:
        return str(count) if count else NONE
    return f"{count} (largest {organ.pieces_ml[0] / organ.ml:.1%})"


def _borders(organ: OrganStatistics) -> str:
    if organ.extent is None:
        return NONE
    return ", ".join(BORDERS[border] for border in organ.extent.borders) or "none"


#: The columns after the organ's name: what is above them, and what they have.
COLUMNS: dict[str, Callable[[OrganStatistics], str]] = {
    "Volume": lambda organ: format_ml(organ.ml),
    "HU, mean ± SD": _hu,
    "HU, 5 % / median / 95 %": _percentiles,
    "Pieces": _pieces,
    "Borders touched": _borders,
    "Confidence": lambda organ: f"{organ.confidence.mean:.2f}" if organ.confidence else NONE,
    "Uncertain boundary": lambda organ: (
        f"{organ.confidence.uncertain_boundary:.0%}" if organ.confidence else NONE
    ),
}


def rows_of(statistics: Mapping[str, OrganStatistics], values: Mapping[str, int]) -> list[Row]:
    """A row for each organ. `values` are those of the labels, by name."""
    return [
        Row(
            shown_name(name),
            None if is_side(name, statistics) else values.get(name),
            tuple(cell(organ) for cell in COLUMNS.values()),
        )
        for name, organ in statistics.items()
    ]
