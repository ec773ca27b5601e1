"""Tables of scans (.csv, .parquet) with the columns id, path and, if needed, series_uid."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..io.wording import one_line, shown, system_reason
from .entry import Entry

_LONGEST_ID = 200
_NEEDED, _COLUMNS = {"id", "path"}, ("id", "path", "series_uid")

_Row = dict[str, Any]


def is_table(path: Path) -> bool:
    """Whether the name is that of a table."""
    return path.suffix.lower() in _READERS


def entries_in(file: Path) -> Iterator[Entry]:
    """The scans in a table. Paths in it are relative to it.

    Raises InputError, and ModuleNotFoundError if a .parquet is given without pyarrow.
    """
    seen: dict[str, str] = {}
    for place, row in _READERS[file.suffix.lower()](file):
        yield _entry(file, place, row, seen)


def is_name(text: str) -> bool:
    """Whether a file or a folder in an output folder can have this name."""
    parts = text.replace("\\", "/").split("/")
    return text.isprintable() and len(text) <= _LONGEST_ID and not {"", ".", ".."} & set(parts)


def _csv_rows(file: Path) -> Iterator[tuple[str, _Row]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            _check_columns(file, reader.fieldnames or [], ", separated by commas")
            for row in reader:
                yield f"line {reader.line_num}", row
    except OSError as error:
        raise InputError(f"{file} cannot be read: {system_reason(error)}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{file} is no table in UTF-8, separated by commas: {error}.") from error


def _parquet_rows(file: Path) -> Iterator[tuple[str, _Row]]:
    from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(file) as table:
            _check_columns(file, table.schema_arrow.names)
            wanted = [name for name in _COLUMNS if name in table.schema_arrow.names]
            rows = table.read(wanted).to_pylist()
    except (ArrowException, OSError) as error:
        raise InputError(f"{file} cannot be read as Parquet: {one_line(str(error))}") from error
    for number, row in enumerate(rows, 1):
        yield f"row {number}", row


_READERS = {".csv": _csv_rows, ".parquet": _parquet_rows}


def _check_columns(file: Path, columns: Iterable[str], form: str = "") -> None:
    if not set(columns) >= _NEEDED:
        raise InputError(
            f"{file} has the columns {shown(list(columns))}, expected id, path and, if needed, "
            f"series_uid{form}."
        )


def _entry(file: Path, place: str, row: _Row, seen: dict[str, str]) -> Entry:
    values = (row.get(column) for column in _COLUMNS)
    name, path, series = ("" if value is None else str(value).strip() for value in values)
    if not path or not is_name(name):
        raise InputError(
            f"{file}, {place}, has the id {shown(name)} and the path {shown(path)}, expected a path and "
            f"an id of 1 to {_LONGEST_ID} printable characters that does not lead out of a folder."
        )
    if (first := seen.setdefault(name.casefold(), place)) != place:
        raise InputError(f"{file} has the id {shown(name)} in {first} and in {place}; name each once.")
    return Entry(name, file.parent / path, series=series or None)
