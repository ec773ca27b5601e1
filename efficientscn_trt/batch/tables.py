"""results.csv and failures.csv: what became of each scan of a batch."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..io.atomic import replacing
from .entry import Entry
from .journal import Record

_NO_REVIEW = {"bundle-notice"}
"""Warnings that all scans have, so that none needs a look for them."""

_FAILURES = ("id", "path", "series_uid", "code", "error", "sentence")


def write_tables(
    folder: Path, part: str, entries: Sequence[Entry], records: Mapping[str, Record]
) -> list[Path]:
    """Write both tables, with the scans of `entries` that have a record. Returns their paths.

    `part`: as for the journal. Raises OutputError.
    """
    known = [records[entry.id] for entry in entries if entry.id in records]
    results, failures = (folder / f"{name}{part and f'.{part}'}.csv" for name in ("results", "failures"))
    _write(results, _result_columns(known), map(_result_row, known))
    _write(failures, _FAILURES, (_failure_row(record) for record in known if record.failure))
    return [results, failures]


def needs_review(record: Record) -> bool:
    """Whether a person should look at the label map."""
    return bool(_warnings(record))


def _warnings(record: Record) -> list[str]:
    """The sentences of the warnings that not all scans have."""
    warnings = record.result.get("warnings", ())
    return [each["message"] for each in warnings if each["code"] not in _NO_REVIEW]


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with (
        replacing(path) as temporary,
        # A name may have bytes that are no UTF-8.
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream,
    ):
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


def _result_columns(records: Iterable[Record]) -> list[str]:
    organs: dict[str, None] = {}
    stages: dict[str, None] = {}
    for record in records:
        organs |= dict.fromkeys(f"{organ}_ml" for organ in record.result.get("volumes_ml", ()))
        stages |= dict.fromkeys(_column(stage) for stage in record.result.get("seconds", ()))
    return [
        *("id", "status", "path", "series_uid"),
        *organs,
        *("review", "warnings"),
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
    volumes = {f"{organ}_ml": f"{ml:.2f}" for organ, ml in result["volumes_ml"].items()}
    seconds = {_column(stage): f"{value:.3f}" for stage, value in result["seconds"].items()}
    return {
        **row,
        **volumes,
        **seconds,
        "review": "yes" if needs_review(record) else "no",
        "warnings": " ".join(_warnings(record)),
        "peak_host_memory_bytes": result["peak_host_memory"],
        "estimated_host_memory_bytes": result["estimated_host_memory"],
        "device": result["device"],
        "precision": result["precision"],
    }


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
