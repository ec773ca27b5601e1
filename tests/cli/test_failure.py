"""Exit codes and messages of failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest

from efficientscn_trt import BundleError, DeviceError, ExportError, InputError, OutputError
from efficientscn_trt.cli.failure import exit_code_of
from efficientscn_trt.cli.progress import show_stages
from efficientscn_trt.cli.tables import print_warnings


def _raise(error: BaseException) -> int:
    def command() -> None:
        raise error

    return exit_code_of(command)


def test_success() -> None:
    assert exit_code_of(lambda: None) == 0
    assert exit_code_of(lambda: 0) == 0
    assert exit_code_of(lambda: 9) == 9  # Context.exit(9)


@pytest.mark.parametrize("kind", [InputError, BundleError, OutputError, DeviceError, ExportError])
def test_typed_errors_have_codes_of_their_own(
    kind: type[InputError], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _raise(kind("This and that.")) == kind.exit_code
    assert capsys.readouterr() == ("", "Error: This and that.\n")


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _raise(InputError("There is no file \x1b[2Jct\0\x9b31m.nii.gz.\nSecond line, 3 × 3 mm – done."))
    error = "Error: There is no file �[2Jct��31m.nii.gz.\nSecond line, 3 × 3 mm – done.\n"
    assert capsys.readouterr().err == error
    print_warnings(["The series a\x1bb was read."])
    assert capsys.readouterr().err == "Warning: The series a�b was read.\n"


def test_codes_differ() -> None:
    kinds = (InputError, BundleError, OutputError, DeviceError, ExportError)
    assert len({kind.exit_code for kind in kinds} | {0, 2, 69, 70, 130, 143}) == len(kinds) + 6


def test_a_fault_says_how_to_get_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _raise(ZeroDivisionError("oops")) == 70
    message = capsys.readouterr().err
    assert message.startswith("Unexpected error (ZeroDivisionError): oops\n")
    assert "set EFFICIENTSCN_DEBUG=1" in message
    assert "Traceback" not in message

    monkeypatch.setenv("EFFICIENTSCN_DEBUG", "1")
    assert _raise(ZeroDivisionError("oops")) == 70
    assert capsys.readouterr().err.startswith("Traceback")
    assert _raise(InputError("bad")) == InputError.exit_code
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "extra"),
    [("tensorflow", "export"), ("tf2onnx.graph", "export"), ("torch", "train"), ("ray", "ray")],
)
def test_a_missing_extra_is_named(module: str, extra: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _raise(ModuleNotFoundError(f"No module named {module!r}", name=module)) == 69
    message = capsys.readouterr().err
    assert f"run: pip install 'efficientscn-trt[{extra}]'" in message
    assert message.count("\n") == 1


def test_an_incomplete_installation(capsys: pytest.CaptureFixture[str]) -> None:
    assert _raise(ModuleNotFoundError("No module named 'SimpleITK'", name="SimpleITK")) == 70
    assert "install efficientscn-trt again" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file on a full disk")
@pytest.mark.parametrize("arguments", [("info",), ("--help",)])
def test_a_full_disk_is_no_fault_of_the_program(
    arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "efficientscn_trt", *arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    assert done.returncode == OutputError.exit_code
    assert done.stderr == "Error: An output cannot be written: no space left on device; free some.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("failure", [ImportError("numpy.core failed"), SystemError(), MemoryError()])
def test_a_native_module_may_turn_a_signal_into_an_error(
    number: signal.Signals, code: int, failure: Exception
) -> None:
    def loading() -> None:
        try:
            os.kill(os.getpid(), number)
        except BaseException as error:
            raise failure from error

    before = signal.signal(number, signal.SIG_DFL)  # a job in the background ignores SIGINT
    try:
        assert exit_code_of(loading) == code
        assert _raise(ImportError("of its own")) == 70
    finally:
        signal.signal(number, before)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_whose_exception_got_lost_ends_the_command_at_the_next_stage() -> None:
    def command() -> None:
        with show_stages(2) as stages:
            with suppress(BaseException):
                os.kill(os.getpid(), signal.SIGTERM)
            stages.begin("next")
        pytest.fail("it went on")

    assert exit_code_of(command) == 143


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as of a job in the background
    try:
        assert exit_code_of(lambda: os.kill(os.getpid(), signal.SIGINT)) == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_interruption_and_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert _raise(click.Abort()) == 130
    assert _raise(click.UsageError("no such option")) == 2
    assert "no such option" in capsys.readouterr().err
    assert _raise(MemoryError()) == 70
    assert "Not enough memory" in capsys.readouterr().err
