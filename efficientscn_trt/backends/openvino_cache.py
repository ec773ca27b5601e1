"""OpenVINO's cache of compiled networks, for processes that start at once, and against damage.

OpenVINO writes a compiled network in place, and maps those that it reads into memory: of two processes with
one cold folder either may crash. So each compiles in a folder of its own, which has links to all that is
there, and hands in what it added when that is whole. It does not check what it reads either: a flipped bit
gave other labels. So a file's name ends with what its bytes hash to.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_COMPILED = "*.blob"


@contextmanager
def cache_option(folder: Path | None) -> Iterator[dict[str, Any]]:
    """Yield what to compile with for a cache in `folder`: nothing if it is None or not writable.

    All that is in the folder is read.
    """
    own = _folder_in(folder) if folder else None
    if folder is None or own is None:
        yield {}
        return
    with own as name:
        for kept in folder.glob(_COMPILED):
            _link(kept, Path(name))
        yield {"CACHE_DIR": name, "ENABLE_MMAP": False}  # network file systems keep what is still mapped
        for compiled in Path(name).glob(_COMPILED):
            with suppress(OSError):
                if not compiled.is_symlink() and compiled.stat().st_nlink == 1:
                    _hand_in(compiled, folder)


def _folder_in(folder: Path) -> TemporaryDirectory[str] | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(dir=folder, ignore_cleanup_errors=True)
    except OSError:
        return None


def _link(kept: Path, own: Path) -> None:
    """Show a file under OpenVINO's name for it, if it is whole."""
    name, _, digest = kept.stem.partition(".")
    place = own / f"{name}{kept.suffix}"
    with suppress(OSError):  # then it is compiled anew
        if digest != _digest(kept):
            return
        try:
            os.link(kept, place)
        except OSError:  # another user's file, or a file system without hard links
            place.symlink_to(kept.resolve())


def _hand_in(compiled: Path, folder: Path) -> None:
    target = folder / f"{compiled.stem}.{_digest(compiled)}{compiled.suffix}"
    compiled.replace(target)
    for former in folder.glob(f"{compiled.stem}.*{compiled.suffix}"):
        if former != target:
            former.unlink()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
