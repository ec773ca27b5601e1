"""Drop slices that a series has twice, as copies of files do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...scan_warning import ScanWarning
from ..wording import counted, listed
from .frames import Frame
from .pixels import read_pixels
from .stored import StoredPixels


def without_copies(name: str, frames: Sequence[Frame]) -> tuple[list[Frame], list[ScanWarning]]:
    """`frames` without those that have the position and the HU of another one, and a warning of them.

    Slices of several contrast phases are at one position as well, but differ: all of them stay.
    `name` is what messages call the frames. Raises InputError if their pixels cannot be read.
    """
    kept: dict[tuple[float, ...], Frame] = {}
    copies = []
    for frame in frames:
        if frame.place is None:
            return list(frames), []
        first = kept.setdefault(frame.place, frame)
        if first is not frame:
            if not _equal(first, frame):
                return list(frames), []
            copies.append(frame.file)
    if not copies:
        return list(frames), []
    files = listed(sorted(set(copies)))
    found = f"include {counted(len(copies), 'duplicate')}, which were left out"
    warning = ScanWarning("duplicates-left-out", f"{name} {found}: {files}.", f"The slices {found}.")
    return list(kept.values()), [warning]


def _equal(first: Frame, second: Frame) -> bool:
    if first.size != second.size:
        return False
    (one, _), (other, _) = (read_pixels(StoredPixels.of([frame]), threads=1) for frame in (first, second))
    return np.array_equal(one, other)
