"""What the process asks of the operating system."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from efficientscn_trt import system

# Frees all but the newest of many small blocks, which the C library then keeps.
_PROGRAM = """
import ctypes, os
from efficientscn_trt.system import give_back_freed_memory

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
blocks = [libc.malloc(4000) for _ in range(20000)]
for block in blocks:
    ctypes.memset(block, 1, 4000)
for block in blocks[:-1]:
    libc.free(block)

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident()
give_back_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other ways")
def test_freed_memory_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 60_000_000  # of 80,000,000


# As the kernel documents them: the limit of version 2 is "max" or a number, that of version 1 a huge number.
@pytest.mark.parametrize(
    ("groups", "files", "limits"),
    [
        ("0::/", {"memory.max": "max"}, []),
        (
            "0::/jobs/7",
            {"memory.max": "max", "jobs/memory.max": "4096", "jobs/7/memory.max": "8192"},
            [8192, 4096],
        ),
        ("0::/not/mounted/here", {"memory.max": "5000"}, [5000]),
        (
            "4:memory:/job\n3:cpu,cpuacct:/job\n1:name=systemd:/job",
            {
                "memory/memory.limit_in_bytes": "9223372036854771712",
                "memory/job/memory.limit_in_bytes": "6000",
            },
            [6000, 9223372036854771712],
        ),
        ("4:memory:/docker/1\n0::/", {"memory/memory.limit_in_bytes": "7000"}, [7000]),
    ],
)
def test_limits_of_cgroups(
    groups: str, files: dict[str, str], limits: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cgroup").write_text(groups + "\n")
    for name, text in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(text + "\n")
    monkeypatch.setattr(system, "_CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(system, "_CGROUPS", tmp_path / "fs")
    assert list(system._cgroup_limits()) == limits


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not report it")
def test_available_memory() -> None:
    available, total = system.available_bytes(), system.memory_bytes()
    assert available is not None
    assert total is not None
    assert system.resident_bytes() < available <= total
