"""The journal of a batch: a line of JSON for each scan that was done, from which a stopped run goes on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from ..errors import OutputError
from ..io.wording import system_reason
from .outputs import Written

_NAME, _ENDING = "journal", ".jsonl"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scan has no label map: the exit code of `segment`, the class of the error, and its sentence."""

    code: int
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one scan.

    `stamp` and `content` say which input it was (`stamps`), `settings` what it was segmented with, `ended`
    when, in seconds since 1970. `result` has what the tables show. Either `outputs` or `failure` is there.
    """

    id: str
    path: str
    series: str | None
    stamp: str
    settings: str
    ended: float
    content: str = ""
    outputs: tuple[Written, ...] = ()
    failure: Failure | None = None
    result: dict[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Record | None:
        """The record of a line. None if the line was not written to its end."""
        with suppress(ValueError, TypeError, KeyError):
            document = parsed(line)
            values = {each.name: document[each.name] for each in fields(cls)}
            values["outputs"] = tuple(Written(**each) for each in values["outputs"])
            values["failure"] = values["failure"] and Failure(**values["failure"])
            return cls(**values)
        return None


_OFTEN = {"settings", "device", "precision", "code", "message"}


def parsed(line: bytes) -> Any:
    """A line of JSON. Names, and texts that many records have, take memory once. Raises ValueError."""
    return json.loads(line, object_pairs_hook=_shared)


def _shared(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {
        sys.intern(name): sys.intern(value) if name in _OFTEN and isinstance(value, str) else value
        for name, value in pairs
    }


class Journal:
    """The journal of one run, to which records are added. Only one run may have it open."""

    def __init__(self, folder: Path, part: str = "") -> None:
        """`part`: which part of the scans the run does, such as "1-of-8". Raises OutputError."""
        self._path = folder / f"{_NAME}{part and f'.{part}'}{_ENDING}"
        self._lock = FileLock(self._path.with_name(f".{self._path.stem}.lock"))
        try:
            with suppress(NotImplementedError):  # a file system without locks
                self._lock.acquire(timeout=0)
            self._file = _opened(self._path)
        except Timeout as error:
            raise OutputError(
                f"Another run writes to {folder}; wait until it has ended, or give another folder."
            ) from error
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {system_reason(error)}.") from error

    def add(self, record: Record) -> None:
        """Write `record`, so that it is there however the process or the machine ends. Raises OutputError."""
        try:
            self._file.write(record.to_line())
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written: {system_reason(error)}; free some."
            ) from error

    def close(self) -> None:
        """Let other runs have it."""
        with suppress(OSError):
            self._file.close()
        self._lock.release()


def _opened(path: Path) -> BinaryIO:
    """`path`, to be added to, behind its last whole line."""
    file = path.open("ab+")
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return file


def records_in(folder: Path) -> dict[str, Record]:
    """The last record of each scan, of all runs in `folder`. Raises OutputError."""
    found: dict[str, Record] = {}
    for path in sorted(folder.glob(f"{_NAME}*{_ENDING}")):
        for record in _records(path):
            if record.id not in found or found[record.id].ended <= record.ended:
                found[record.id] = record
    return found


def _records(path: Path) -> Iterator[Record]:
    try:
        with path.open("rb") as file:
            for line in file:
                if record := Record.of_line(line):
                    yield record
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {system_reason(error)}.") from error
