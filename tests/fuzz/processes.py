"""How to start loop.py on a target: in this Python, or with sanitizers that watch the core."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sanitize.builds import ADDRESS, Build

#: Targets that run on the core with AddressSanitizer and UndefinedBehaviorSanitizer, which is built first.
SANITIZED = ("core",)
TESTS = Path(__file__).resolve().parent.parent
_LOOP = str(TESTS / "fuzz" / "loop.py")


def command(target: str, *arguments: str) -> tuple[list[str], dict[str, str], Path]:
    """The command for `target`, its environment and folder. `arguments` follow the target's name."""
    if target not in SANITIZED:
        return [sys.executable, _LOOP, target, *arguments], os.environ | {"PYTHONHASHSEED": "0"}, TESTS
    argv, environment = Build(ADDRESS).python_command(_LOOP, target, *arguments)
    # libFuzzer stores the input where the process aborts: only AddressSanitizer tells it of an error.
    environment["UBSAN_OPTIONS"] += ":abort_on_error=1"
    # What is freed need not be kept long: an input is small.
    environment["ASAN_OPTIONS"] += ":quarantine_size_mb=64"
    return argv, environment | {"PYTHONHASHSEED": "0"}, TESTS
