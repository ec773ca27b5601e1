"""Fixtures of the command line's tests."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.command_line import Run, in_this_process


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """This process's environment, with compiled networks kept out of the user's cache."""
    return {**os.environ, "EFFICIENTSCN_CACHE": str(tmp_path_factory.mktemp("cache")), "COLUMNS": "100"}


@pytest.fixture(scope="session")
def run_process(environment: dict[str, str]) -> Run:
    """Run `efficientscn-trt` with arguments in a process of its own."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "efficientscn_trt", *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=environment | variables,
            timeout=300,
        )

    return run


@pytest.fixture
def run(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Run `efficientscn-trt` with arguments in this process, which has the libraries loaded."""
    for name in ("EFFICIENTSCN_CACHE", "COLUMNS"):
        monkeypatch.setenv(name, environment[name])
    return in_this_process(capfd)
