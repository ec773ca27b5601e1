"""Whether something is at a path, or an error that says why the system does not let us look."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import EfficientSCNError
from .wording import shown, system_reason


def not_a_file(path: Path) -> str:
    """What is at `path` instead of a file, as the end of a sentence. Empty if it is one."""
    if os.path.isfile(path):
        return ""
    if os.path.isdir(path):
        return "is a folder"
    if os.path.exists(path):
        return "is a pipe or a device"
    return "is a link that leads nowhere" if os.path.islink(path) else "is not there"


def identity(path: Path) -> tuple[int, int] | None:
    """The same for all names of a file or folder, be they links of any kind. None if there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL character
        return None
    return found.st_dev, found.st_ino


def as_path(path: str | os.PathLike[str], failure: type[EfficientSCNError]) -> Path:
    """`path` as a Path. Raises `failure` if it is something else."""
    try:
        return Path(path)
    except TypeError as error:
        raise failure(f"{shown(path)} is no path, expected text or a path; give one.") from error


def is_there(path: Path, failure: type[EfficientSCNError]) -> bool:
    """Whether there is a file or folder at `path`. Raises `failure` if it may not be read."""
    try:
        folder = stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL character
        return False
    except OSError as error:
        raise failure(f"{path} cannot be read: {system_reason(error)}.") from error
    if not os.access(path, os.R_OK | os.X_OK if folder else os.R_OK):
        raise failure(f"{path} cannot be read: permission denied; ask its owner for the right to read it.")
    return True
