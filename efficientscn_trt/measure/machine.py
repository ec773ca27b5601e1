"""What a figure was measured on: processor, memory, GPU, system and versions."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

#: Instruction sets that decide how fast a CPU convolves, as Linux names them.
INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16")

PACKAGES = ("efficientscn-trt", "numpy", "openvino", "SimpleITK")

_CPUINFO, _MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")


def machine_facts(packages: Iterable[str] = ()) -> dict[str, Any]:
    """Facts for a report, JSON values only; `packages` are asked for beside `PACKAGES`.

    `load` is the system's load average over the last minute, None where it is not told.
    """
    from ..engines.machine import find_gpus

    cpu = _fields(_CPUINFO)
    memory = _fields(_MEMINFO).get("MemTotal")
    return {
        "processor": cpu.get("model name") or platform.processor() or platform.machine(),
        "cores": usable_cores(),
        "instruction_sets": instruction_sets(),
        "memory_bytes": int(memory.split()[0]) * 1024 if memory else None,
        "gpus": [{"name": gpu.name, "memory_bytes": gpu.memory} for gpu in find_gpus()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in (*PACKAGES, *packages) if (found := _version(name))},
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def instruction_sets() -> list[str]:
    """Those of `INSTRUCTION_SETS` that the processor has; none where the system does not tell."""
    cpu = _fields(_CPUINFO)
    known = set(cpu.get("flags", cpu.get("Features", "")).split())
    return [name for name in INSTRUCTION_SETS if name in known]


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def machine_line(facts: dict[str, Any]) -> str:
    """The facts in one line, for the foot of a table."""
    memory = facts["memory_bytes"]
    parts = [
        f"{facts['processor']}, {facts['cores']} cores ({', '.join(facts['instruction_sets']) or 'unknown'})",
        f"{memory / 2**30:.0f} GiB" if memory else "",
        *(gpu["name"] for gpu in facts["gpus"]),
        facts["system"],
        f"Python {facts['python']}",
        *(f"{name} {number}" for name, number in facts["versions"].items()),
        f"load before {facts['load']:.1f}" if facts["load"] is not None else "",
    ]
    return "; ".join(part for part in parts if part)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _fields(file: Path) -> dict[str, str]:
    """The first of each "name: value" of a file in /proc; empty where there is none."""
    if not file.exists():
        return {}
    fields: dict[str, str] = {}
    for line in file.read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields
