"""Record the card, the driver and the versions, and measure how fast the card moves data."""

from __future__ import annotations

import subprocess
from typing import Any

from efficientscn_trt.engines.flavours import FLAVOURS, installed_version
from efficientscn_trt.engines.machine import find_gpus
from efficientscn_trt.measure.machine import machine_facts
from on_gpu.card import Card
from on_gpu.context import REPOSITORY, Context, skipped

QUERIES = (
    "name",
    "driver_version",
    "memory.total",
    "clocks.max.sm",
    "clocks.max.memory",
    "power.limit",
    "pcie.link.gen.max",
    "pcie.link.width.current",
)


def run(context: Context) -> dict[str, Any]:
    gpus = find_gpus()
    if not gpus:
        return skipped("no NVIDIA GPU with a driver was found")
    facts = machine_facts()
    return {
        "state": "ok",
        "card": gpus[0].name,
        "compute_capability": gpus[0].compute_capability,
        "smi": _smi(),
        "bytes_per_second": _rates(),
        "tensorrt": {name: installed_version(flavour) for name, flavour in FLAVOURS.items()},
        "commit": _output("git", "-C", str(REPOSITORY), "rev-parse", "HEAD"),
        **facts,
    }


def _rates() -> dict[str, Any]:
    """Return the rates for the floors. A card whose rates cannot be measured still has a report."""
    try:
        card = Card()
        return {**card.copy_rates(), "memory": card.memory_rate()}
    except Exception as error:
        return {"problem": f"{type(error).__name__}: {error}"}


def _smi() -> dict[str, str]:
    line = _output("nvidia-smi", f"--query-gpu={','.join(QUERIES)}", "--format=csv,noheader", "--id=0")
    return dict(zip(QUERIES, (part.strip() for part in line.split(",")), strict=False))


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
