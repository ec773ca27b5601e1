"""One scan of a batch: what it is called, and where it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .request import Request


@dataclass(frozen=True, slots=True)
class Entry:
    """A scan of a batch.

    `id`: its name in all outputs, which may have slashes. `path`: an image file, a zip archive or a folder.
    `files`: those in `path` that are the DICOM series; none for all. `series`: the UID of the series to read.
    """

    id: str
    path: Path
    files: tuple[Path, ...] = ()
    series: str | None = None

    def absolute(self) -> Entry:
        """The same scan for a process with another working directory."""
        files = tuple(file.absolute() for file in self.files)
        return replace(self, path=self.path.absolute(), files=files)

    @property
    def request(self) -> Request:
        """What to segment."""
        return Request(list(self.files) or self.path, series=self.series)
