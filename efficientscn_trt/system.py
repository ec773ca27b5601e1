"""What the operating system says of this machine, and of this process."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

#: Instruction sets that decide how fast a CPU convolves, as Linux names them.
INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16")

_CPUINFO, _MEMINFO, _STATUS = Path("/proc/cpuinfo"), Path("/proc/meminfo"), Path("/proc/self/status")


def processor_name() -> str:
    """The processor's name, or the kind of machine where the system does not tell it."""
    return _fields(_CPUINFO).get("model name") or platform.processor() or platform.machine()


def instruction_sets() -> list[str]:
    """Those of `INSTRUCTION_SETS` that the processor has; none where the system does not tell."""
    cpu = _fields(_CPUINFO)
    known = set(cpu.get("flags", cpu.get("Features", "")).split())
    return [name for name in INSTRUCTION_SETS if name in known]


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def memory_bytes() -> int | None:
    """The machine's memory, None where the system does not tell."""
    total = _fields(_MEMINFO).get("MemTotal")
    return _bytes(total) if total else None


def peak_resident_bytes() -> int:
    """The largest resident set of this process since its start, in bytes."""
    # getrusage would count the parent's memory before exec as well.
    if peak := _fields(_STATUS).get("VmHWM"):
        return _bytes(peak)
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _bytes(text: str) -> int:
    """The bytes of "12 kB", as files in /proc have them."""
    return int(text.split()[0]) * 1024


def _fields(file: Path) -> dict[str, str]:
    """The first of each "name: value" of a file in /proc; empty where there is none."""
    if not file.exists():
        return {}
    fields: dict[str, str] = {}
    for line in file.read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields
