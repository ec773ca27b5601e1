"""The folder that keeps compiled networks and engines from one run to the next."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

CACHE_VARIABLE = "EFFICIENTSCN_CACHE"


def cache_folder() -> Path | None:
    """The folder that EFFICIENTSCN_CACHE names, else one in the user's cache. None if it is not writable."""
    named = os.environ.get(CACHE_VARIABLE)
    try:
        folder = Path(named) if named else _user_cache() / "efficientscn-trt"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: the user has no home folder, as in some containers
        return None


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", tempfile.gettempdir()))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
