"""The folder for what the user decides once."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_folder() -> Path | None:
    """The folder of this package's settings; it may not exist. None if the user has no home folder."""
    try:
        return _settings() / "efficientscn-trt"
    except RuntimeError:  # as in some containers
        return None


def _settings() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
