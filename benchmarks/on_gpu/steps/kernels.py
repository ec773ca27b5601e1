"""Run tests/gpu: every kernel, and the whole pipeline with networks in NumPy, against the CPU."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from on_gpu.context import REPOSITORY, Context

TESTS = REPOSITORY / "tests" / "gpu"


def pytest_command(*arguments: str) -> list[str]:
    """Return the command of pytest on this repository's tests, which leaves no files."""
    where = ("-c", str(REPOSITORY / "pyproject.toml"), "--rootdir", str(REPOSITORY))
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *where, *arguments]


def run(context: Context) -> dict[str, Any]:
    return run_tests(context, str(TESTS))


def run_tests(context: Context, *arguments: str) -> dict[str, Any]:
    """Run tests. Return their numbers by outcome, and the output if any failed."""
    done = subprocess.run(
        pytest_command("--tb=short", "-rs", *arguments), cwd=context.work, capture_output=True, text=True
    )
    counts = {
        word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout)
    }
    good = done.returncode == 0 and counts.get("passed", 0) > 0
    result: dict[str, Any] = {"state": "ok" if good else "failed", "tests": counts}
    if not good:
        result |= {"reason": "tests failed", "output": done.stdout[-3000:]}
    (Path(context.work) / "pytest.txt").write_text(done.stdout)
    return result
