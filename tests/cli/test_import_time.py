"""Importing the package takes less than half a second."""

from __future__ import annotations

import subprocess
import sys

LIMIT_S = 0.5
PROGRAM = "import time; t = time.perf_counter(); import efficientscn_trt; print(time.perf_counter() - t)"


def test_import_is_quick() -> None:
    """Take the best of several runs, because the machine may be busy; tests/runtime tests what is loaded."""
    runs = [subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True) for _ in range(5)]
    assert min(float(run.stdout) for run in runs) < LIMIT_S
