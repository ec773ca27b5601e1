"""OpenVINO's cache of compiled networks, for processes that start at once.

OpenVINO writes a compiled network in place, and maps those that it reads into memory: of two processes with
one cold folder either may crash. So each compiles in a folder of its own, which has links to all that is
there, and hands in what it added when that is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_COMPILED = "*.blob"


@contextmanager
def cache_option(folder: Path | None) -> Iterator[dict[str, Any]]:
    """Yield what to compile with for a cache in `folder`: nothing if it is None or not writable."""
    own = _folder_in(folder) if folder else None
    if folder is None or own is None:
        yield {}
        return
    with own as name:
        for compiled in folder.glob(_COMPILED):
            _link(compiled, Path(name, compiled.name))
        yield {"CACHE_DIR": name, "ENABLE_MMAP": False}  # network file systems keep what is still mapped
        for compiled in Path(name).glob(_COMPILED):
            if not compiled.is_symlink():
                with suppress(OSError):
                    compiled.replace(folder / compiled.name)  # of a link to the same file: does nothing


def _folder_in(folder: Path) -> TemporaryDirectory[str] | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(dir=folder, ignore_cleanup_errors=True)
    except OSError:
        return None


def _link(compiled: Path, place: Path) -> None:
    with suppress(OSError):  # then it is compiled anew
        try:
            os.link(compiled, place)
        except OSError:  # another user's file, or a file system without hard links
            place.symlink_to(compiled.resolve())
