"""Write a file beside its target and rename it. A reader sees the old file, the new one, or none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import OutputError
from .paths import not_a_file
from .unfinished import unfinished_file
from .wording import one_line, system_reason

_ANYBODYS = 0o666  # less what the umask takes away


def check_writable(target: Path) -> None:
    """Refuse a `target` that `replacing` could not write, before any work is done.

    Raises OutputError.
    """
    try:
        with unfinished_file(_place(target)):
            pass
    except OSError as error:
        raise _unwritable(target, error) from error


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield the path of an empty file beside `target`, for the caller to fill.

    The file replaces `target` when the block ends, or what `target` links to, and takes over its permissions
    and owner. It is removed if the block raises.
    Raises OutputError, also where the block raises OSError or RuntimeError (SimpleITK's).
    """
    filled = False
    try:
        place = _place(target)
        old = place.stat() if place.exists() else None
        with unfinished_file(place, stat.S_IMODE(old.st_mode) if old else _ANYBODYS) as temporary:
            filled = True
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            if old:
                _take_over(temporary, old)
            temporary.replace(place)
    except (OSError, RuntimeError) as error:
        if filled:
            raise OutputError(f"{target} cannot be written: {_reason(error)}.") from error
        raise _unwritable(target, error) from error


def _place(target: Path) -> Path:
    """Where `target` leads if it is a link; the link itself stays. Raises OSError, OutputError."""
    if not _is_encodable(target):
        raise OutputError(
            f"{one_line(str(target))} cannot be written: its name has a character that no file's name has; "
            "give another one."
        )
    place = Path(os.path.realpath(target)) if os.path.islink(target) else target
    if not target.parent.is_dir():
        if os.path.lexists(target.parent):
            raise OutputError(f"{target} cannot be written: {target.parent} is no folder; give one.")
        raise OutputError(f"{target} cannot be written: there is no folder {target.parent}; make it first.")
    if os.path.islink(place):
        raise OutputError(f"{target} is a link that leads back to itself; give another name.")
    if place.exists() and (found := not_a_file(place)):
        raise OutputError(f"{target} {found}, expected the name of a file.")
    return place


def _is_encodable(target: Path) -> bool:
    """Whether the system takes a name with these characters: no NUL, no half of a surrogate pair."""
    try:
        return b"\0" not in os.fsencode(target)
    except UnicodeEncodeError:
        return False


def _take_over(temporary: Path, old: os.stat_result) -> None:
    """Where the system does not let us, fewer people than before may read the file, never more."""
    with suppress(OSError, AttributeError):  # only root may give files away; Windows has no chown
        os.chown(temporary, old.st_uid, old.st_gid)
    with suppress(OSError):
        temporary.chmod(stat.S_IMODE(old.st_mode))


def _unwritable(target: Path, error: Exception) -> OutputError:
    return OutputError(f"{target} cannot be written: {_reason(error)}; give a folder where you may write.")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return system_reason(error)
    return (str(error).strip().splitlines() or ["no reason given"])[-1].rstrip(".")
