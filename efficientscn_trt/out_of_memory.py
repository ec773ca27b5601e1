"""Turn other libraries' errors about memory into MemoryError, and say what one means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

NOT_ENOUGH = "Not enough memory; close other programs or use a machine with more."

_WORDS = re.compile(
    r"bad_alloc|failed to map segment|(can't|cannot|could not|failed to|unable to) (\w+ )?alloc",
    re.IGNORECASE,
)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise MemoryError where the block raises a RuntimeError or an ImportError about memory."""
    try:
        yield
    except (RuntimeError, ImportError) as error:
        if _WORDS.search(str(error)):
            raise MemoryError(str(error)) from error
        raise
