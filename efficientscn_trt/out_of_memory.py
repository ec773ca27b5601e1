"""Turn other libraries' errors about memory into MemoryError."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_WORDS = re.compile(r"bad_alloc|(can't|cannot|could not|failed to|unable to) (\w+ )?alloc", re.IGNORECASE)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise MemoryError where the block raises a RuntimeError about memory."""
    try:
        yield
    except RuntimeError as error:
        if _WORDS.search(str(error)):
            raise MemoryError(str(error)) from error
        raise
