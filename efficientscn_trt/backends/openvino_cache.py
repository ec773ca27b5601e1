"""OpenVINO's cache of compiled networks, made safe against damage and for processes that start at once.

OpenVINO writes a compiled network in place, and by default maps the files that it reads into memory. If two
processes share a cold folder, either may crash. So each process compiles in a folder of its own, which links
to every file in the cache, and moves its new files into the cache when they are complete. OpenVINO does not
check what it reads either: a flipped bit gave other labels. So a file's name in the cache ends with a hash of
its bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from ..io.unfinished import unfinished_folder

_COMPILED = "*.blob"


@contextmanager
def cache_option(folder: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the options that make OpenVINO use a cache in `folder`; none if it is None or not writable.

    Reads every compiled network in the folder.
    """
    with ExitStack() as stack:
        own = _folder_in(folder, stack) if folder else None
        if folder is None or own is None:
            yield {}
            return
        for kept in folder.glob(_COMPILED):
            _link(kept, own)
        # Network file systems cannot delete a mapped file.
        yield {"CACHE_DIR": str(own), "ENABLE_MMAP": False}
        for compiled in own.glob(_COMPILED):
            with suppress(OSError):
                if not compiled.is_symlink() and compiled.stat().st_nlink == 1:
                    _add_to_cache(compiled, folder)


def _folder_in(folder: Path, stack: ExitStack) -> Path | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return stack.enter_context(unfinished_folder(folder / "compiling"))
    except OSError:
        return None


def _link(kept: Path, own: Path) -> None:
    """Link a cached file into `own` under the name that OpenVINO looks for, if it is undamaged."""
    name, _, digest = kept.stem.partition(".")
    place = own / f"{name}{kept.suffix}"
    with suppress(OSError):  # without the link, OpenVINO compiles it again
        if digest != _digest(kept):
            return
        try:
            os.link(kept, place)
        except OSError:  # another user's file, or a file system without hard links
            place.symlink_to(kept.resolve())


def _add_to_cache(compiled: Path, folder: Path) -> None:
    target = folder / f"{compiled.stem}.{_digest(compiled)}{compiled.suffix}"
    compiled.replace(target)
    for former in folder.glob(f"{compiled.stem}.*{compiled.suffix}"):
        if former != target:
            former.unlink()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
