"""A batch from its inputs to its tables, which goes on where it was stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from .. import bundle as bundles
from ..bundle.manifest import MANIFEST
from ..errors import BatchError
from ..io.wording import counted
from .journal import Journal, Record, records_in
from .machine import Machine
from .outputs import Naming, check_apart
from .plan import plan, settings_hash
from .run import Run
from .slots import LocalSlots, Slots
from .tables import needs_review, write_tables, writer_for
from .worklist import part as part_of
from .worklist import worklist


class Batch:
    """The scans of a batch, those that are done, and those that are not.

    Attributes:
        entries: the scans, of the part that was asked for.
        tasks: those that are still to be done.
        tables: the paths of the tables of results and of failures, once they are written.
    """

    def __init__(
        self,
        inputs: Sequence[Path],
        folder: Path,
        machine: Machine,
        naming: Naming,
        part: tuple[int, int] | None = None,
        retry_refused: bool = False,
        slots: Callable[[Machine, Path], Slots] = LocalSlots,
        table_kind: str = "csv",
    ) -> None:
        """List the scans, and read the journals in `folder`, which is there.

        `part`: its number from 1, and how many there are. `slots`: makes the places for workers.
        `table_kind`: as for `tables.writer_for`.
        Raises InputError, BundleError, OutputError.
        """
        writer_for(table_kind)  # if it cannot be had, that is known before the work
        self._table_kind = table_kind
        self._folder, self._machine, self._naming, self._slots = folder, machine, naming, slots
        self._part = f"{part[0]}-of-{part[1]}" if part else ""
        settings = _settings(machine, naming)
        entries = worklist(inputs, folder)
        check_apart(entries, naming, folder)
        self.entries = part_of(entries, *part) if part else entries
        self.tables: list[Path] = []
        self._settings = settings
        self._records = records_in(folder)
        self.tasks = plan(self.entries, self._records, naming, folder, settings, retry_refused)

    def run(self, done: Callable[[Record], None]) -> None:
        """Do what is still to be done, and write the tables, however it ends. `done` gets each record.

        Raises BatchError if all scans seem to fail, OutputError, BundleError and DeviceError.
        """

        def note(record: Record) -> None:
            self._records[record.id] = record
            done(record)

        with closing(Journal(self._folder, self._part)) as journal:
            try:
                if self.tasks:
                    with closing(self._slots(self._machine, self._folder)) as slots:
                        run = Run(
                            self._machine, slots, self._folder, self._settings, journal, note, self._records
                        )
                        run.do(self.tasks)
            finally:
                self.tables = write_tables(
                    self._folder, self._part, self.entries, self._records, self._table_kind
                )

    @property
    def done(self) -> list[Record]:
        """The records of the scans that have a label map."""
        return [record for record in self._of_entries() if not record.failure]

    @property
    def failed(self) -> list[Record]:
        """The records of the scans that have none."""
        return [record for record in self._of_entries() if record.failure]

    @property
    def to_review(self) -> list[Record]:
        """The records of the label maps that a person should look at."""
        return [record for record in self.done if needs_review(record)]

    def check(self) -> None:
        """Raises BatchError if scans failed."""
        if self.failed:
            raise BatchError(
                f"{counted(len(self.failed), 'scan')} of {len(self.entries)} failed; see {self.tables[1]}."
            )

    def _of_entries(self) -> list[Record]:
        return [self._records[entry.id] for entry in self.entries if entry.id in self._records]


def _settings(machine: Machine, naming: Naming) -> str:
    """Raises BundleError."""
    bundles.load(machine.bundle, machine.trusted or None)
    manifest = hashlib.sha256((machine.bundle / MANIFEST).read_bytes()).hexdigest()
    # Which GPU it is makes no difference.
    devices = sorted({device.partition(":")[0] for device in machine.devices})
    settings = {
        "bundle": manifest,
        "devices": devices,
        "precision": machine.precision,
        "organs": sorted(naming.organs),
    }
    # Journals of batches without it stay valid.
    return settings_hash(settings | ({"with_patient": True} if naming.with_patient else {}))
