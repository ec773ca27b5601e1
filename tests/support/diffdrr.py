"""The real CT of the demo, in a cache that the tests keep between runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from efficientscn_trt.demo.public_ct import PublicCt, UnavailableError
from efficientscn_trt.demo.public_ct import obtain as fetch


def obtain() -> PublicCt:
    """The files, fetched once; skips the test if that cannot be done."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "efficientscn-trt-tests"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return fetch(folder)
    except UnavailableError as reason:
        pytest.skip(str(reason))
