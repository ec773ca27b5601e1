"""What a figure was measured on: processor, memory, GPU, system and versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import system

PACKAGES = ("efficientscn-trt", "numpy", "openvino", "SimpleITK")


def machine_facts(packages: Iterable[str] = ()) -> dict[str, Any]:
    """Facts for a report, as JSON values; `versions` covers `PACKAGES` and `packages`.

    `load` is the system's load average over the last minute, None if the system does not report it.
    """
    from ..engines.machine import find_gpus

    return {
        "processor": system.processor_name(),
        "cores": system.usable_cores(),
        "instruction_sets": system.instruction_sets(),
        "memory_bytes": system.memory_bytes(),
        "gpus": [{"name": gpu.name, "memory_bytes": gpu.memory} for gpu in find_gpus()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in (*PACKAGES, *packages) if (found := _version(name))},
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


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
