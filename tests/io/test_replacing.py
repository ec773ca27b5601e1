"""A file that is replaced keeps its permissions and owner; what is no file is not replaced."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from efficientscn_trt import OutputError
from efficientscn_trt.io.atomic import check_writable, replacing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o400, 0o666])
def test_permissions_stay(mode: int, tmp_path: Path) -> None:
    target = tmp_path / "labels.nii.gz"
    target.write_bytes(b"old")
    target.chmod(mode)
    with replacing(target) as temporary:
        assert _mode(temporary) & ~mode & 0o077 == 0, "others could read it meanwhile"
        temporary.write_bytes(b"new")
    assert (target.read_bytes(), _mode(target)) == (b"new", mode)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(tmp_path: Path) -> None:
    target = tmp_path / "labels.nii.gz"
    target.touch()
    os.chown(target, 12345, 23456)
    with replacing(target) as temporary:
        temporary.write_bytes(b"new")
    assert (target.stat().st_uid, target.stat().st_gid) == (12345, 23456)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_obeys_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        with replacing(tmp_path / "labels.nii.gz") as temporary:
            temporary.write_bytes(b"new")
    finally:
        os.umask(before)
    assert _mode(tmp_path / "labels.nii.gz") == 0o666 & ~mask


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_not_replaced(linked: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    target = tmp_path / "labels.nii.gz"
    if linked:
        target.symlink_to("pipe")
    else:
        (tmp_path / "pipe").rename(target)
    for attempt in (check_writable, lambda path: replacing(path).__enter__()):
        with pytest.raises(OutputError, match="is a pipe or a device, expected the name of a file"):
            attempt(target)
    assert stat.S_ISFIFO(target.stat().st_mode)
