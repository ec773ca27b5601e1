"""Let one process at a time build engines into a user's cache; other processes wait for the engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def one_at_a_time(folder: Path, notice: Callable[[str], None]) -> Iterator[None]:
    """Let one process at a time run the block for `folder`; call `notice` if this process must wait.

    Where the file system has no locks, no process waits.
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
