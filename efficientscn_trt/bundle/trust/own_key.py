"""The user's own key, for what is built into the cache.

With trusted keys, no engine is loaded without a signature. Nobody but this process can sign one that it built
on first use, so it does, with a key that never leaves the user's settings.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from ...errors import SignatureError
from ...io.unfinished import unfinished_file
from .keys import SigningKey
from .user_folder import user_folder

KEY_FILE = "cache-key.pem"


def own_key(*, make: bool) -> SigningKey | None:
    """The user's own key. None if there is none; with `make`, if none can be kept.

    Raises SignatureError if others may read it, or if it is damaged.
    """
    folder = user_folder()
    if folder is None:
        return None
    file = folder / KEY_FILE
    if make and not os.path.exists(file):
        with suppress(OSError):
            _make(file)
    if not os.path.exists(file):  # Path.exists raises where the folder may not be searched
        return None
    _check_private(file)
    return SigningKey.from_file(file)


def _make(file: Path) -> None:
    """Write a new key, whole or not at all. If another process was faster, its key stays."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with unfinished_file(file, 0o600) as unfinished:
        unfinished.write_bytes(SigningKey.new().to_pem())
        with suppress(FileExistsError):
            os.link(unfinished, file)


def _check_private(file: Path) -> None:
    if not hasattr(os, "getuid"):  # Windows: the folder is the user's alone
        return
    found = file.stat()
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.getuid() or mode & 0o077:
        raise SignatureError(
            f"The key {file} has the owner {found.st_uid} and the permissions {mode:o}, expected "
            f"{os.getuid()} and 600; delete it if somebody else may have read it, else mend that."
        )
