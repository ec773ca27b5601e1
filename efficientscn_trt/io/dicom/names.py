"""Name files and count things in messages."""

from __future__ import annotations

from collections.abc import Iterable

from .elements import one_line

_NAMED = 5  # at most


def listed(names: Iterable[str], separator: str = ", ") -> str:
    """The first few of `names`."""
    names = list(names)
    more = f"{separator}…" if len(names) > _NAMED else ""
    return separator.join(one_line(name) for name in names[:_NAMED]) + more


def counted(count: int, thing: str) -> str:
    """`count` of a thing whose plural has an s."""
    return f"{count} {thing}{'s' * (count != 1)}"
