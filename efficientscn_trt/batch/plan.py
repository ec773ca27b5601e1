"""Which scans of a batch are still to be done, judged by the journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from .entry import Entry
from .journal import Record
from .outputs import Naming
from .stamps import stamp
from .worker import Task


def settings_hash(settings: Mapping[str, Any]) -> str:
    """A hash of all that decides what a label map becomes, beside the scan."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def plan(
    entries: Sequence[Entry],
    records: Mapping[str, Record],
    naming: Naming,
    folder: Path,
    settings: str,
    retry_failed: bool,
) -> list[Task]:
    """The tasks for the scans of `entries` that are not done.

    A scan is done if the journal has its outputs, they are as they were written, and neither the input nor
    `settings` changed. One that was refused before is tried again if its input changed, or if `retry_failed`.
    """
    tasks = []
    for number, entry in enumerate(entries):
        outputs, mark = naming.outputs(entry.id), stamp(entry)
        task = Task(number, entry, outputs, mark)
        record = records.get(entry.id)
        if record is None or record.settings != settings:
            tasks.append(task)
        elif record.failure is not None:
            if retry_failed or record.stamp != mark or record.failure.code != InputError.exit_code:
                tasks.append(task)
        elif [each.name for each in record.outputs] != outputs.names or not all(
            each.is_intact(folder) for each in record.outputs
        ):
            tasks.append(task)
        elif record.stamp != mark:
            tasks.append(Task(number, entry, outputs, mark, known=record.content))
    return tasks
