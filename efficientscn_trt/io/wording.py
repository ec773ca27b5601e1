"""Words of messages: names, counts, and what the system says."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_NAMED = 5  # at most
_NAME = 255  # characters of each at most
_SHOWN = 60  # characters of a value at most


def one_line(words: str) -> str:
    """`words` in one line, without control characters."""
    if not words.isprintable():
        words = "".join(c if c.isprintable() else " " for c in words)
    return " ".join(words.split())


def excerpt(words: str, longest: int = 120) -> str:
    """What a file says, as `one_line`, cut if it is longer than so many characters."""
    return _cut(one_line(words[: 4 * longest]), longest)


def _cut(line: str, longest: int) -> str:
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def without_controls(words: str) -> str:
    """`words` as a terminal may show them: a file's name can hold its control characters."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in words)


def listed(names: Iterable[str], separator: str = ", ") -> str:
    """The first few of `names`, each at most as long as that of a file may be."""
    names = list(names)
    more = f"{separator}…" if len(names) > _NAMED else ""
    return separator.join(excerpt(name, _NAME) for name in names[:_NAMED]) + more


def shown(value: object) -> str:
    """`value` as in Python's source, in one line and cut if it is long."""
    try:
        text = repr(value)
    except Exception:  # such as of a whole number with thousands of digits
        text = f"<{type(value).__name__}>"
    text = text if text.isprintable() else one_line(text)
    return _cut(text, _SHOWN)


def counted(count: int, thing: str) -> str:
    """`count` of a thing whose plural has an s."""
    return f"{count} {thing}{'s' * (count != 1)}"


def by_axis(values: Iterable[float], form: str = "") -> str:
    """A size or a spacing, as in "512 × 512 × 120"; `form` is that of each value, as in a format string."""
    return " × ".join(f"{value:{form}}" for value in values)


def displayable(path: Path | str) -> str:
    """`path` as text, even if its bytes are no UTF-8."""
    return os.fsencode(path).decode(errors="replace")


def system_reason(error: OSError) -> str:
    """Why the system failed, to be put into a sentence."""
    return (error.strerror or str(error)).lower()
