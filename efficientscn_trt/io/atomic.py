"""Write a file beside its target and rename it. A reader sees the old file, the new one, or none."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import OutputError
from .wording import one_line, system_reason

_LONGEST_STEM = 40  # in characters, so that the whole stays below the 255 bytes of file systems


def check_writable(target: Path) -> None:
    """Refuse a `target` that `replacing` could not write, before any work is done.

    Raises OutputError.
    """
    temporary = _temporary(target, _followed(target))
    try:
        _create(temporary, target)
    finally:
        _discard(temporary)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield the path of an empty file beside `target`, with its extensions, for the caller to fill.

    The file replaces `target` when the block ends, or what `target` links to. It is removed if the block
    raises.
    Raises OutputError, also where the block raises OSError or RuntimeError (SimpleITK's).
    """
    place = _followed(target)
    temporary = _temporary(target, place)
    try:
        _create(temporary, target)
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(place)
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{target} cannot be written: {_reason(error)}.") from error
    finally:
        _discard(temporary)


def _followed(target: Path) -> Path:
    """Where `target` leads if it is a link; the link itself stays."""
    return Path(os.path.realpath(target)) if os.path.islink(target) else target


def _temporary(target: Path, place: Path) -> Path:
    """A new name beside `place`, with the extensions of `target`, by which a writer chooses the format."""
    extension = "".join(target.suffixes[-2:] if target.suffix.lower() == ".gz" else [target.suffix]).lower()
    stem = target.name[: len(target.name) - len(extension)][:_LONGEST_STEM]
    return place.with_name(f".{stem}.{secrets.token_hex(4)}.partial{extension}")


def _discard(temporary: Path) -> None:
    with suppress(OSError, ValueError):  # it was never made, or its folder is gone
        temporary.unlink()


def _create(temporary: Path, target: Path) -> None:
    if "\0" in str(target):
        raise OutputError(f"{one_line(str(target))} cannot be written: its name has a NUL; give another one.")
    try:
        if not target.parent.is_dir():
            if os.path.lexists(target.parent):
                raise OutputError(f"{target} cannot be written: {target.parent} is no folder; give one.")
            raise OutputError(
                f"{target} cannot be written: there is no folder {target.parent}; make it first."
            )
        if target.is_dir():
            raise OutputError(f"{target} is a folder, expected the name of a file.")
        if os.path.islink(os.path.realpath(target)):
            raise OutputError(f"{target} is a link that leads back to itself; give another name.")
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written: {_reason(error)}; give a folder where you may write."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return system_reason(error)
    return (str(error).strip().splitlines() or ["no reason given"])[-1].rstrip(".")
