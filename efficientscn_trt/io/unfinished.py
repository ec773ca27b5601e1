"""Files and folders that are still being written, and the removal of those that a killed process left.

Their names end in `.escn-partial`, so that no pattern for outputs matches them. The process that writes one
holds a lock on it, which the system releases however the process ends. Where a file system has no locks,
nothing that was left is removed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_LONGEST_NAME = 40  # in characters, so that the whole stays below the 255 bytes of file systems
_PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.escn-partial", re.DOTALL)


@contextmanager
def unfinished_file(target: Path, mode: int = 0o666) -> Iterator[Path]:
    """Yield the path of a new, empty file beside `target`. It is removed at the end if it is still there.

    `mode`: its permissions before those that the umask takes away; its owner may always write.
    Raises OSError.
    """

    def make(path: Path) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode | 0o600)
        if sys.platform == "win32":  # an open file cannot be renamed
            os.close(descriptor)
            return -1
        return descriptor

    clear_abandoned(target.parent)
    with _locked(target, make) as path:
        yield path


@contextmanager
def unfinished_folder(target: Path) -> Iterator[Path]:
    """Yield the path of a new, empty folder beside `target`. It is removed at the end if it is still there.

    Raises OSError.
    """

    def make(path: Path) -> int:
        path.mkdir()
        return -1 if sys.platform == "win32" else os.open(path, os.O_RDONLY)

    clear_abandoned(target.parent)
    with _locked(target, make) as path:
        yield path


def write_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Replace the folder `target` by one that `fill` fills, given its path.

    If another process is faster, the folder is that one's. Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    with unfinished_folder(target) as folder:
        fill(folder)
        with suppress(OSError):  # another process was faster; after any other error, reading `target` fails
            folder.rename(target)


def clear_abandoned(folder: Path) -> None:
    """Remove what processes that no longer run left unfinished in `folder`."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        for name in os.listdir(folder):
            if _PARTIAL.fullmatch(name):
                with suppress(OSError):
                    _clear(folder / name)


def _clear(path: Path) -> None:
    descriptor = os.open(path, os.O_NONBLOCK | (os.O_RDWR if path.is_file() else os.O_RDONLY))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: a process is writing it
        _remove(path)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(target: Path, make: Callable[[Path], int]) -> Iterator[Path]:
    while True:
        path = target.with_name(f".{target.name[:_LONGEST_NAME]}.{secrets.token_hex(4)}.escn-partial")
        descriptor = make(path)
        if _lock(descriptor, path):
            break
        os.close(descriptor)
    try:
        yield path
    finally:
        _remove(path)
        if descriptor >= 0:
            os.close(descriptor)


def _lock(descriptor: int, path: Path) -> bool:
    """Whether `path` is still ours: another process may have taken it for abandoned before it had a lock."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:  # the file system has no locks
        return True


def _remove(path: Path) -> None:
    with suppress(OSError):  # it was renamed, or its folder is gone
        path.unlink()
        return
    shutil.rmtree(path, ignore_errors=True)
