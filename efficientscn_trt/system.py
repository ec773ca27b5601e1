"""What the operating system reports about this machine and this process."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

#: The instruction sets that decide how fast a CPU convolves, by Linux's names.
INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16")

_CPUINFO, _MEMINFO, _STATUS = Path("/proc/cpuinfo"), Path("/proc/meminfo"), Path("/proc/self/status")
_CGROUP, _CGROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def processor_name() -> str:
    """The processor's name, or the machine type if the system does not report a name."""
    return _fields(_CPUINFO).get("model name") or platform.processor() or platform.machine()


def instruction_sets() -> list[str]:
    """The `INSTRUCTION_SETS` that the processor has; none if the system does not report them."""
    cpu = _fields(_CPUINFO)
    known = set(cpu.get("flags", cpu.get("Features", "")).split())
    return [name for name in INSTRUCTION_SETS if name in known]


def usable_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def memory_bytes() -> int | None:
    """The machine's memory in bytes, None if the system does not report it."""
    total = _fields(_MEMINFO).get("MemTotal")
    return _bytes(total) if total else None


def available_bytes() -> int | None:
    """The memory that this process may have: what it has, and what the machine and its cgroups leave.

    None if the system does not report it.
    """
    free = _fields(_MEMINFO).get("MemAvailable")
    limits = [resident_bytes() + _bytes(free)] if free else []
    return min([*limits, *_cgroup_limits()], default=memory_bytes())


def _cgroup_limits() -> Iterator[int]:
    """The limits of memory of this process's cgroup and of those above it, in bytes."""
    if not _CGROUP.exists():
        return
    for line in _CGROUP.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top, file = (
            (_CGROUPS / "memory", "memory.limit_in_bytes") if controllers else (_CGROUPS, "memory.max")
        )
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(top) and (folder / file).is_file():
                text = (folder / file).read_text().strip()
                if text.isdigit():  # "max" is no limit
                    yield int(text)


def give_back_freed_memory() -> None:
    """Give memory that was freed back to the system, where the C library keeps it (glibc)."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> int:
    """The resident set of this process, in bytes; its largest so far if the system does not report it."""
    now = _fields(_STATUS).get("VmRSS")
    return _bytes(now) if now else peak_resident_bytes()


def peak_resident_bytes() -> int:
    """The largest resident set of this process since its start, in bytes."""
    # getrusage would also count the parent's memory before exec.
    if peak := _fields(_STATUS).get("VmHWM"):
        return _bytes(peak)
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _bytes(text: str) -> int:
    """Turn "12 kB", as in files of /proc, into bytes."""
    return int(text.split()[0]) * 1024


def _fields(file: Path) -> dict[str, str]:
    """The first value of each "name: value" in a file of /proc; empty if there is no such file."""
    if not file.exists():
        return {}
    fields: dict[str, str] = {}
    for line in file.read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields
