"""List the DICOM series of many folders, on all cores if there are many files."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from ..backends.child_process import end_with_caller
from ..errors import InputError
from ..io.dicom.listing import Listing, list_series
from ..system import usable_cores

_FEW = 2000  # files, which take less than two seconds


def list_folders(folders: Sequence[Sequence[Path]]) -> Iterator[Listing | None]:
    """The listing of each folder, given its DICOM files; None if reading them raises InputError."""
    processes = min(usable_cores(), len(folders))
    if processes < 2 or sum(map(len, folders)) < _FEW:
        yield from map(_listing, folders)
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _prepare)
    try:
        yield from pool.map(_listing, folders)
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    """In a process of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the caller ends this one
    end_with_caller()


def _listing(files: Sequence[Path]) -> Listing | None:
    try:
        return list_series(files)
    except InputError:
        return None
