"""Judge DICOM that is written by dciodvfy of David Clunie's dicom3tools, a package of Debian."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def check_standard(path: Path, kind: str) -> None:
    """No error, and `kind` is the IOD that was recognised. Skips the test where there is no dciodvfy."""
    if not shutil.which("dciodvfy"):
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace")
    lines = done.stderr.splitlines()
    assert [line for line in lines if line.startswith("Error")] == []
    assert kind in lines
