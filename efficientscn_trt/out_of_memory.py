"""Libraries that say in words of their own that there is no memory left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_WORDS = re.compile(r"bad_alloc|(can't|cannot|could not|failed to|unable to) (\w+ )?alloc", re.IGNORECASE)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turns a RuntimeError that speaks of memory into a MemoryError."""
    try:
        yield
    except RuntimeError as error:
        if _WORDS.search(str(error)):
            raise MemoryError(str(error)) from error
        raise
