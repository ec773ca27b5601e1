"""The trusted keys of a process: those of an environment variable, or else of a file of the user."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import SignatureError
from ...io.wording import system_reason
from .keys import ANYONE, TrustedKeys
from .user_folder import user_folder

TRUSTED_KEYS_VARIABLE = "EFFICIENTSCN_TRUSTED_KEYS"
USER_FILE = "trusted-keys.pem"


def configured_keys() -> TrustedKeys:
    """The keys of the variable EFFICIENTSCN_TRUSTED_KEYS, else of the user's file, else none.

    The variable has the names of PEM files, separated as in PATH, or the keys themselves in PEM form.
    Raises SignatureError if it, or the user's file, holds anything else: keys that cannot be read must not
    mean that no signature is needed.
    """
    if named := os.environ.get(TRUSTED_KEYS_VARIABLE):
        if "-----BEGIN" in named:
            return TrustedKeys.from_pem(named, TRUSTED_KEYS_VARIABLE)
        files = [name for name in named.split(os.pathsep) if name.strip()]
        if not files:
            raise SignatureError(
                f"{TRUSTED_KEYS_VARIABLE} names no file, expected PEM files; name some, or unset it."
            )
        return TrustedKeys.from_files(*files)
    file = _users_file()
    return ANYONE if file is None else TrustedKeys.from_files(file)


def _users_file() -> Path | None:
    folder = user_folder()
    if folder is None:
        return None
    file = folder / USER_FILE
    try:
        os.lstat(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SignatureError(
            f"Whether there are trusted keys in {file} cannot be seen: {system_reason(error)}; let this "
            "user search that folder, or set XDG_CONFIG_HOME to another one."
        ) from error
    return file
