"""The scans of a batch, each under a name of its own."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from ..io.paths import is_there, not_a_file
from ..io.signatures import head_of, is_zip
from ..io.wording import shown, system_reason
from .entry import Entry
from .folders import archive_entries, id_of, scans_in

_LONGEST_ID = 200
_COLUMNS = ("id", "path", "series_uid")


def worklist(inputs: Sequence[Path], leave_out: Path) -> list[Entry]:
    """The scans at `inputs`: folders, image files, zip archives, and tables (.csv) of scans.

    The folder `leave_out` is not searched. Scans of one name get a hash of their place as well.
    Raises InputError.
    """
    # The same scan may be given twice.
    found = list(dict.fromkeys(entry for path in inputs for entry in _entries(path, leave_out)))
    if not found:
        raise InputError(
            f"{', '.join(map(str, inputs))} has no scans; give image files, folders with DICOM series, or a "
            "table (.csv) of them."
        )
    uses = Counter(entry.id.casefold() for entry in found)  # some file systems ignore case
    return [
        entry if uses[entry.id.casefold()] == 1 else replace(entry, id=f"{entry.id}-{_hash(entry)}")
        for entry in found
    ]


def part(entries: Sequence[Entry], number: int, count: int) -> list[Entry]:
    """Part `number`, from 1, of `count`. Which part an entry is in depends on its name alone."""

    def part_of(entry: Entry) -> int:
        digest = hashlib.sha256(entry.id.encode(errors="surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % count + 1

    return [entry for entry in entries if part_of(entry) == number]


def _entries(path: Path, leave_out: Path) -> list[Entry]:
    if not is_there(path, InputError):
        raise InputError(f"There is no file or folder {path}.")
    if path.is_dir():
        if leave_out.exists() and path.samefile(leave_out):
            raise InputError(
                f"The folder {path} has the scans and is the output folder too; give another one."
            )
        return scans_in(path, leave_out)
    if fault := not_a_file(path):
        raise InputError(f"{path} {fault}, expected a file or a folder.")
    if path.suffix.lower() == ".csv":
        return list(_table(path))
    if path.suffix.lower() == ".parquet":
        raise InputError(f"{path} is a Parquet file, which is not read; save the table as .csv.")
    if is_zip(head_of(path)):
        return archive_entries(id_of(path), path)
    return [Entry(id_of(path), path)]


def _hash(entry: Entry) -> str:
    place = f"{entry.path}\n{entry.series or ''}"
    return hashlib.sha256(place.encode(errors="surrogateescape")).hexdigest()[:8]


def _table(file: Path) -> Iterator[Entry]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            header = reader.fieldnames or []
            if not {"id", "path"} <= set(header):
                raise InputError(
                    f"{file} has the columns {shown(list(header))}, expected id, path and, if needed, "
                    "series_uid, separated by commas."
                )
            seen: dict[str, int] = {}
            for row in reader:
                yield _row(file, reader.line_num, row, seen)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {system_reason(error)}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{file} is no table in UTF-8, separated by commas: {error}.") from error


def _row(file: Path, line: int, row: dict[str, str | None], seen: dict[str, int]) -> Entry:
    name, path, series = ((row.get(column) or "").strip() for column in _COLUMNS)
    if not path or not is_name(name):
        raise InputError(
            f"{file}, line {line}, has the id {shown(name)} and the path {shown(path)}, expected a path and "
            f"an id of 1 to {_LONGEST_ID} printable characters that does not lead out of a folder."
        )
    if (first := seen.setdefault(name.casefold(), line)) != line:
        raise InputError(
            f"{file} has the id {shown(name)} in line {first} and in line {line}; name each once."
        )
    return Entry(name, file.parent / path, series=series or None)


def is_name(text: str) -> bool:
    """Whether a file or a folder in an output folder can have this name."""
    parts = text.replace("\\", "/").split("/")
    return text.isprintable() and len(text) <= _LONGEST_ID and not {"", ".", ".."} & set(parts)
