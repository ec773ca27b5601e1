"""results.csv and failures.csv, or .parquet: what became of each scan of a batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..organs import OrganStatistics
from ..report.csv_file import write_csv
from ..report.organ_table import described
from .entry import Entry
from .journal import Record

_ORGAN = (
    *("ml", "mean_hu", "sd_hu", "p5_hu", "median_hu", "p95_hu", "pieces", "borders"),
    *("confidence", "uncertain_boundary"),
)
_DIGITS = 3
_FAILURES = ("id", "path", "series_uid", "code", "error", "sentence")


Row = Mapping[str, Any]
Writer = Callable[[Path, Sequence[str], Iterable[Row]], None]


def writer_for(kind: str) -> Writer:
    """What writes tables of this `kind`, "csv" or "parquet".

    Raises ModuleNotFoundError if it is "parquet", and pyarrow is not installed.
    """
    if kind == "parquet":
        from .parquet import write_parquet

        return write_parquet
    return write_csv


def write_tables(
    folder: Path, part: str, entries: Sequence[Entry], records: Mapping[str, Record], kind: str = "csv"
) -> list[Path]:
    """Write both tables, with the scans of `entries` that have a record. Returns their paths.

    `part`: as for the journal. `kind`: as for `writer_for`. Raises OutputError.
    """
    write = writer_for(kind)
    known = [records[entry.id] for entry in entries if entry.id in records]
    results, failures = (folder / f"{name}{part and f'.{part}'}.{kind}" for name in ("results", "failures"))
    write(results, _result_columns(known), map(_result_row, known))
    write(failures, _FAILURES, (_failure_row(record) for record in known if record.failure))
    return [results, failures]


def needs_review(record: Record) -> bool:
    """Whether a person should look at the label map."""
    return bool(record.result.get("review"))


def _result_columns(records: Iterable[Record]) -> list[str]:
    organs: dict[str, None] = {}
    stages: dict[str, None] = {}
    for record in records:
        organs |= dict.fromkeys(_organ_cells(record))
        stages |= dict.fromkeys(map(_column, _of_text(record, "seconds")))
    return [
        *("id", "status", "path", "series_uid"),
        *organs,
        *("review", "reasons"),
        *stages,
        *("peak_host_memory_bytes", "estimated_host_memory_bytes", "device", "precision"),
    ]


def _result_row(record: Record) -> dict[str, Any]:
    result = record.result
    row = {
        "id": record.id,
        "status": "failed" if record.failure else "done",
        "path": record.path,
        "series_uid": record.series or "",
    }
    if record.failure:
        return row
    seconds = {_column(stage): value for stage, value in _of_text(record, "seconds").items()}
    return {
        **row,
        **_organ_cells(record),
        **seconds,
        "review": needs_review(record),
        "reasons": result.get("review", ""),
        "peak_host_memory_bytes": result["peak_host_memory"],
        "estimated_host_memory_bytes": result["estimated_host_memory"],
        "device": result["device"],
        "precision": result["precision"],
    }


def shown(statistics: OrganStatistics) -> list[Any]:
    """What the tables show of an organ."""
    numbers = described(statistics)
    return [numbers[name] for name in _ORGAN]


def in_text(numbers: Any) -> str:
    """`numbers` for a record: as text, which takes less memory, rounded to a few digits."""
    return json.dumps(json.loads(json.dumps(numbers), parse_float=_rounded))


def _rounded(number: str) -> float:
    return round(float(number), _DIGITS)


def _organ_cells(record: Record) -> dict[str, Any]:
    numbers = _of_text(record, "organs")
    return {
        f"{organ}_{name}": value
        for organ, values in numbers.items()
        for name, value in zip(_ORGAN, values, strict=False)  # a record of an older version has fewer
    }


def _of_text(record: Record, name: str) -> dict[str, Any]:
    """What `in_text` made; nothing for a record of an older version."""
    text = record.result.get(name)
    found: dict[str, Any] = json.loads(text) if isinstance(text, str) else {}
    return found


def _column(stage: str) -> str:
    return f"{stage.replace(' ', '_')}_s"


def _failure_row(record: Record) -> dict[str, Any]:
    assert record.failure
    return {
        "id": record.id,
        "path": record.path,
        "series_uid": record.series or "",
        "code": record.failure.code,
        "error": record.failure.kind,
        "sentence": record.failure.sentence,
    }
