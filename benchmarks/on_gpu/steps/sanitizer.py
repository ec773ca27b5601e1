"""Run compute-sanitizer on the small scans of tests/gpu: bad accesses, races, missing barriers."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

from on_gpu.context import Context, judged, skipped
from on_gpu.steps.kernels import TESTS, pytest_command

TOOLS = ("memcheck", "racecheck", "synccheck", "initcheck")


def run(context: Context) -> dict[str, Any]:
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/cuda/bin"))
    sanitizer = shutil.which("compute-sanitizer", path=places)
    if sanitizer is None:
        return skipped("compute-sanitizer is not installed")
    outputs, checks = {}, {}
    tests = pytest_command(str(TESTS / "test_pipeline.py"), "-k", "small_scan and not float32")
    for tool in TOOLS:
        command = [sanitizer, "--tool", tool, "--error-exitcode", "9", *tests]
        done = subprocess.run(command, cwd=context.work, capture_output=True, text=True)
        text = done.stdout + done.stderr
        outputs[tool] = next((line for line in reversed(text.splitlines()) if "SUMMARY" in line), text[-600:])
        checks[tool] = done.returncode == 0
    return judged({"summaries": outputs}, checks)
