"""What tells whether a scan is the one that was segmented before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .entry import Entry

#: The endings of headers whose voxels are, or may be, in other files.
_DETACHED = (".mhd", ".nhdr", ".hdr", ".hdr.gz", ".img", ".img.gz")


def stamp(entry: Entry) -> str:
    """A hash of the names, sizes and times of an entry's files, and of the series that is read."""
    digest = hashlib.sha256((entry.series or "").encode())
    for name, file in _files(entry):
        status = ""
        with suppress(OSError):
            found = os.stat(file)
            status = f"{found.st_size} {found.st_mtime_ns}"
        digest.update(f"{name}\0{status}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def content(entry: Entry) -> str:
    """A hash of the names and the bytes of an entry's files, and of the series that is read.

    Raises OSError.
    """
    digest = hashlib.sha256((entry.series or "").encode())
    for name, file in _files(entry):
        digest.update(f"{name}\0{os.stat(file).st_size}\0".encode(errors="surrogateescape"))
        with open(file, "rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _files(entry: Entry) -> Iterator[tuple[str, Path]]:
    """The files of an entry, with their names in it."""
    path = entry.path
    if entry.files:
        for file in entry.files:
            yield os.path.relpath(file, path), file
    elif path.is_dir():
        for where, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                yield os.path.relpath(Path(where, name), path), Path(where, name)
    elif path.name.lower().endswith(_DETACHED):
        # The voxels lie beside the header, usually under its name: all of the folder that may be theirs.
        for name in sorted(os.listdir(path.parent)):
            if (file := path.parent / name).is_file():
                yield name, file
    else:
        yield path.name, path
