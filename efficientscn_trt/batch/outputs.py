"""The files that a batch writes for each scan: their names, and whether they are as they were written."""

from __future__ import annotations

import os
import string
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..bundle import sha256
from ..errors import OutputError
from ..io.paths import identity
from ..io.writing import DICOM_EXTENSION, OUTPUT_EXTENSIONS
from ..organs.selection import check_file_names
from .entry import Entry

_FIELDS = {"id", "kind"}


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files of one scan, relative to the output folder. None for those that were not asked for."""

    labels: str
    preview: str | None
    document: str | None
    masks: tuple[tuple[str, str], ...] = ()  # an organ, and its file
    organs: tuple[str, ...] = ()  # which all outputs have; all organs if empty
    rtstruct: str | None = None
    sr: str | None = None
    page: str | None = None
    with_patient: bool = False  # whether the page names the patient

    @property
    def names(self) -> list[str]:
        """All of them."""
        masks = (name for _, name in self.masks)
        named = (self.labels, self.preview, self.document, self.rtstruct, self.sr, self.page, *masks)
        return [name for name in named if name]


@dataclass(frozen=True)
class Naming:
    """How files are named: by a pattern with {id} and, if wanted, {kind} (labels, preview, report,
    rtstruct, sr, or an organ). A report is a JSON document, or a page.

    `organs`: which the outputs have, all if empty. `masks`: the organs that have a file each. `with_patient`:
    whether the page names the patient.
    """

    pattern: str = "{id}/{kind}"
    extension: str = ".nii.gz"
    preview: bool = False
    document: bool = False
    organs: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    rtstruct: bool = False
    sr: bool = False
    page: bool = False
    with_patient: bool = False

    def __post_init__(self) -> None:
        """Raises OutputError for a pattern that names no files in the output folder."""
        if self.extension not in OUTPUT_EXTENSIONS:
            raise OutputError(
                f"{self.extension} is no known extension, expected one of {', '.join(OUTPUT_EXTENSIONS)}."
            )
        fields: set[str | None] = set()
        with suppress(ValueError):
            fields = {name for _, name, _, _ in string.Formatter().parse(self.pattern) if name is not None}
        plain = self.pattern.replace("{id}", "").replace("{kind}", "")
        parts = PurePosixPath(self.pattern).parts
        if "id" not in fields or fields - _FIELDS or {"{", "}"} & set(plain) or ".." in parts or "/" in parts:
            raise OutputError(
                f'The pattern "{self.pattern}" names no files in the output folder, expected one with {{id}} '
                'and, if wanted, {kind}, such as "{id}/{kind}" or "{id}_{kind}".'
            )
        check_file_names(self.masks)
        names = [name.casefold() for name in self.outputs("id").names]
        if twice := {name for name in names if names.count(name) > 1}:
            raise OutputError(
                f"Several outputs of a scan would be {min(twice)}; give a pattern with {{kind}}, such as "
                '"{id}_{kind}", and write no mask of an organ that is called as an output.'
            )
        if self.sr and self.extension != DICOM_EXTENSION:
            raise OutputError(
                "DICOM SR refers to the label map as DICOM SEG, but its format is "
                f"{self.extension}; choose {DICOM_EXTENSION}."
            )

    def outputs(self, name: str) -> Outputs:
        """The files of the scan called `name`."""

        def file(kind: str, extension: str) -> str:
            return self.pattern.format(id=name, kind=kind) + extension

        return Outputs(
            file("labels", self.extension),
            file("preview", ".png") if self.preview else None,
            file("report", ".json") if self.document else None,
            tuple((organ, file(organ, self.extension)) for organ in self.masks),
            self.organs,
            file("rtstruct", DICOM_EXTENSION) if self.rtstruct else None,
            file("sr", DICOM_EXTENSION) if self.sr else None,
            file("report", ".html") if self.page else None,
            self.with_patient,
        )


def check_apart(entries: Sequence[Entry], naming: Naming, folder: Path) -> None:
    """Refuse names in `folder` of which one file would replace another or a scan, or be where a folder is.

    Raises OutputError.
    """
    scans = {place: entry for entry in entries if (place := identity(entry.path))}
    owners: dict[str, str] = {}
    for entry in entries:
        for name in naming.outputs(entry.id).names:
            if (other := owners.setdefault(name.casefold(), entry.id)) != entry.id:
                raise _clash(name, entry.id, other)
            if (place := identity(folder / name)) in scans:
                raise OutputError(f"{folder / name} is a scan, {scans[place].path}; give another folder.")
    for name, owner in owners.items():
        for above in map(str, PurePosixPath(name).parents):
            if above in owners:
                raise _clash(above, owner, owners[above])


def _clash(name: str, first: str, second: str) -> OutputError:
    return OutputError(
        f'The scans "{first}" and "{second}" would both write {name}; give them other ids (a table .csv), or '
        "another pattern."
    )


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was written: its name in the output folder, bytes, time in ns, and SHA-256."""

    name: str
    size: int
    time: int
    sha256: str

    @classmethod
    def of(cls, folder: Path, name: str) -> Written:
        """The file `name` in `folder` as it is now. Raises OSError."""
        status = os.stat(folder / name)
        return cls(name, status.st_size, status.st_mtime_ns, sha256(folder / name))

    def is_intact(self, folder: Path) -> bool:
        """Whether the file is still as it was. Only one that was touched is read."""
        with suppress(OSError):
            status = os.stat(folder / self.name)
            if status.st_size == self.size:
                return status.st_mtime_ns == self.time or sha256(folder / self.name) == self.sha256
        return False
