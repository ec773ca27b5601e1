"""The scans of a batch, each under a name of its own."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from ..io.paths import is_there, not_a_file
from ..io.signatures import head_of, is_zip
from .entry import Entry
from .folders import archive_entries, id_of, scans_in
from .scan_table import entries_in, is_table


def worklist(inputs: Sequence[Path], leave_out: Path) -> list[Entry]:
    """The scans at `inputs`: folders, image files, zip archives, and tables of scans.

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
    if is_table(path):
        return list(entries_in(path))
    if is_zip(head_of(path)):
        return archive_entries(id_of(path), path)
    return [Entry(id_of(path), path)]


def _hash(entry: Entry) -> str:
    place = f"{entry.path}\n{entry.series or ''}"
    return hashlib.sha256(place.encode(errors="surrogateescape")).hexdigest()[:8]
