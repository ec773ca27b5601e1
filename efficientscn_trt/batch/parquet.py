"""Write a table of a batch as Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from ..io.atomic import replacing

#: The type of each column, by its name or its ending; text for all others.
_TYPES = {
    "_ml": pyarrow.float64(),
    "_hu": pyarrow.float64(),
    "_pieces": pyarrow.int64(),
    "_confidence": pyarrow.float64(),
    "_uncertain_boundary": pyarrow.float64(),
    "_s": pyarrow.float64(),
    "_bytes": pyarrow.int64(),
    "code": pyarrow.int64(),
    "review": pyarrow.bool_(),
}


def write_parquet(path: Path, columns: Sequence[str], rows: Iterable[Any]) -> None:
    """Write `rows`, mappings from columns to values, to `path`. Raises OutputError."""
    schema = pyarrow.schema([(name, _type_of(name)) for name in columns])
    table = pyarrow.Table.from_pylist([_encodable(row) for row in rows], schema)
    with replacing(path) as temporary:
        parquet.write_table(table, temporary)


def _type_of(column: str) -> Any:
    ending = next((ending for ending in _TYPES if column.endswith(ending)), None)
    return _TYPES[ending] if ending else pyarrow.string()


def _encodable(row: Any) -> dict[str, Any]:
    """`row` with what is no UTF-8 escaped: a name may have such bytes."""
    return {
        name: value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value
        for name, value in row.items()
    }
