"""Run the command line in the process of the tests, which has the libraries loaded."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from efficientscn_trt import cli

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def in_this_process(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `efficientscn-trt` with its arguments."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        texts = [str(argument) for argument in arguments]
        code = cli.run(texts)
        return subprocess.CompletedProcess(texts, code, *capfd.readouterr())

    return run
