"""One process at a time builds engines into a user's cache; those that start beside it wait for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def one_at_a_time(folder: Path, notice: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, no other process is in one for `folder`; `notice` is told if that is waited for.

    Where the file system has no locks, nobody waits.
    """
    lock = FileLock(folder / "engines.lock")
    with ExitStack() as held:
        try:
            held.enter_context(lock.acquire(timeout=0))
        except Timeout:
            notice("Another process is building engines for this machine; this one waits for them.")
            held.enter_context(lock.acquire())
        except (OSError, NotImplementedError):
            pass
        yield
