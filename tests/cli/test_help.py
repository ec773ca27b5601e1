"""`--help` is quick, and every command says what it is for."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from efficientscn_trt.cli import COMMANDS

from .conftest import Run

HEAVY = {"numpy", "SimpleITK", "openvino", "matplotlib", "rich", "tensorflow", "torch", "onnx", "tensorrt"}


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from efficientscn_trt import cli; cli.run(['--help']); print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stdout.split("\n"))
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, run: Run) -> None:
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"Usage: efficientscn-trt {command}" in done.stdout
    assert "\n  Example" in done.stdout
    assert f"efficientscn-trt {command}" in done.stdout.split("Example")[1]


def test_the_help_of_segment_fits_two_screens(run_process: Run) -> None:
    """Of 24 lines with 80 columns each."""
    done = run_process("segment", "--help", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") <= 48


def test_version(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"efficientscn-trt, version {version('efficientscn-trt')}\n")


def test_unknown_command(run_process: Run) -> None:
    done = run_process("frobnicate")
    assert done.returncode == 2
    assert "No such command 'frobnicate'" in done.stderr
