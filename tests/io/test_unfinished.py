"""What a killed process left unfinished matches no pattern for outputs, and the next run removes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from efficientscn_trt.io.atomic import check_writable, replacing
from efficientscn_trt.io.unfinished import clear_abandoned, unfinished_file, unfinished_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other locks")

_WRITES = {
    "a file": "with unfinished_file(Path(sys.argv[1])) as path:\n    path.write_bytes(b'half')",
    "a folder": "with unfinished_folder(Path(sys.argv[1])) as path:\n    (path / 'half').touch()",
}


@contextmanager
def _writing(target: Path, what: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is writing `target`."""
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from efficientscn_trt.io.unfinished import unfinished_file, unfinished_folder\n"
        f"{_WRITES[what]}\n    print('begun', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("what", _WRITES)
def test_the_next_run_clears_what_a_killed_one_left(what: str, tmp_path: Path) -> None:
    target = tmp_path / "labels.nii.gz"
    with _writing(target, what) as process:
        [left] = tmp_path.iterdir()
        check_writable(tmp_path / "other.nii.gz")
        assert left.exists(), "it is still being written"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert list(tmp_path.iterdir()) == [left]
    assert not left.match("*.nii.gz")
    with replacing(tmp_path / "other.nii.gz") as temporary:
        assert not left.exists()
        temporary.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["other.nii.gz"]


def test_nothing_else_is_cleared(tmp_path: Path) -> None:
    names = [
        "labels.nii.gz",
        ".hidden",
        ".labels.nii.gz.0123456.escn-partial",
        "labels.01234567.escn-partial",
    ]
    for name in names:
        (tmp_path / name).touch()
    clear_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    clear_abandoned(tmp_path / "nowhere")


def test_a_pipe_of_such_a_name_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".labels.01234567.escn-partial")
    clear_abandoned(tmp_path)


@pytest.mark.parametrize("make", [unfinished_file, unfinished_folder])
def test_what_is_renamed_stays(make: type, tmp_path: Path) -> None:
    with make(tmp_path / "target") as temporary:
        temporary.rename(tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    for make in (unfinished_file, unfinished_folder):
        with pytest.raises(KeyError), make(tmp_path / "target"):
            raise KeyError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 255, "\N{SNOWMAN}" * 85])
def test_the_longest_names(name: str, tmp_path: Path) -> None:
    with replacing(tmp_path / name) as temporary:
        temporary.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]
