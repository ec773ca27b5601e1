"""Ctrl-C and SIGTERM end the command with its code, and leave what was there before."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from efficientscn_trt.bundle import Bundle

# Waits at the worst moment: the label map is complete under its temporary name, but not yet renamed.
WAIT_BEFORE_RENAME = """
import sys, time
from pathlib import Path
from efficientscn_trt import cli

def replace(self, target):
    print("written", self.stat().st_size, flush=True)
    time.sleep(60)

Path.replace = replace
cli.main()
"""

# Waits in the middle of the work.
WAIT_IN_STAGE = """
import sys, time
from efficientscn_trt import cli
from efficientscn_trt.backends.cpu import CpuBackend

def segment(self, image):
    print("segmenting", flush=True)
    time.sleep(60)

CpuBackend.segment = segment
cli.main()
"""

# Says which process tries the networks.
TELL_OF_TRIAL = """
import subprocess
from efficientscn_trt import cli

class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print(self.pid, flush=True)

subprocess.Popen = Popen
cli.main()
"""


def _started(program: str, arguments: list[Any], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # If this process is a background job, it ignores SIGINT, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("program", [WAIT_BEFORE_RENAME, WAIT_IN_STAGE], ids=["writing", "segmenting"])
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "Interrupted"), (signal.SIGTERM, 143, "Terminated")]
)
def test_nothing_is_left_half_written(
    program: str,
    number: signal.Signals,
    code: int,
    word: str,
    environment: dict[str, str],
    tiny_bundle: Bundle,
    scan_file: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "output"
    folder.mkdir()
    (folder / "old.nii.gz").write_bytes(b"what was there before")
    arguments = ["segment", scan_file, "-o", folder / "old.nii.gz", "--bundle", tiny_bundle.path]
    process = _started(program, arguments, environment)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().split()[0] in ("written", "segmenting")
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == code
    assert stderr.strip() == f"{word}; nothing was left half-written."
    assert [path.name for path in folder.iterdir()] == ["old.nii.gz"]
    assert (folder / "old.nii.gz").read_bytes() == b"what was there before"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere SIGKILL leaves the trial for 25 s")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_trial_ends_with_the_command(
    number: signal.Signals, code: int, environment: dict[str, str], scan_file: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    from support.other_networks import ENDLESS, write_bundle_with

    bundle = write_bundle_with(tmp_path / "bundle", segmentation=ENDLESS)
    arguments = ["segment", scan_file, "-o", tmp_path / "labels.nii.gz", "--bundle", bundle.path]
    process = _started(TELL_OF_TRIAL, [*arguments, "--device", "cpu"], environment)
    try:
        assert process.stdout is not None
        trial = Path("/proc", process.stdout.readline().strip())
        while "openvino_intel_cpu" not in (trial / "maps").read_text():  # it compiles
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(timeout=10) == code
        while trial.exists() and "zombie" not in (trial / "status").read_text():
            time.sleep(0.01)
    finally:
        process.kill()
