"""Copies of bundles in the user's cache."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..errors import BundleError, OutputError
from ..io.unfinished import write_folder
from ..user_cache import CACHE_VARIABLE
from .reader import Bundle, load
from .trust import TrustedKeys


def cached_copy(target: Path, fill: Callable[[Path], None], trusted: TrustedKeys) -> Bundle:
    """Load the copy in the folder `target`; if it is missing or damaged, `fill` a new one, given its path.

    If there are `trusted` keys, one of them must have signed it.
    Raises OutputError if it cannot be written, and BundleError if it is damaged then.
    """
    with suppress(BundleError):
        return load(target, trusted)
    try:
        write_folder(target, fill)
    except OSError as error:
        raise OutputError(
            f"The user's cache cannot be written ({error}); free disk space, or name another folder in the "
            f"environment variable {CACHE_VARIABLE}."
        ) from error
    return load(target, trusted)
