"""The result of all steps as one JSON file and one Markdown file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from on_gpu.floor_report import network_floors, path_floors
from on_gpu.layer_report import layers
from on_gpu.tables import cell, size_text, table

SYMBOLS = {"ok": "✓", "failed": "✗", "skipped": "–", "refused": "⊘"}


class GpuReport:
    """The steps by name, in `path`.json and `path`.md. Later runs of other steps add to them."""

    def __init__(self, path: Path) -> None:
        self._json, self._markdown = path.with_suffix(".json"), path.with_suffix(".md")
        self.steps: dict[str, Any] = {}
        if self._json.exists():
            self.steps = json.loads(self._json.read_text(encoding="utf-8"))["steps"]

    def add(self, name: str, result: dict[str, Any]) -> None:
        """Record a step and write both files."""
        date = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.steps[name] = {"date": date, **result}
        self._json.parent.mkdir(parents=True, exist_ok=True)
        self._json.write_text(json.dumps({"steps": self.steps}, indent=1) + "\n", encoding="utf-8")
        self._markdown.write_text(markdown(self.steps), encoding="utf-8")

    @property
    def failed(self) -> list[str]:
        """Names of the steps that failed."""
        return [name for name, step in self.steps.items() if step["state"] == "failed"]


def markdown(steps: Mapping[str, Any]) -> str:
    """The report as text."""
    parts = [_head(steps.get("machine", {})), _verdicts(steps)]
    for name, step in steps.items():
        try:
            parts += _parts(name, step, steps)
        except Exception as error:  # a result that lacks a value must not stop the check
            parts.append(f"## {name}\n\nCould not be shown ({type(error).__name__}: {error}).")
    return "\n\n".join(parts) + "\n"


def _parts(name: str, step: Mapping[str, Any], steps: Mapping[str, Any]) -> Iterator[str]:
    if name.endswith("/engines") and step["state"] == "ok":
        yield _engines(name, step)
    if name.endswith("/compare") and "scans" in step:
        yield _comparison(name, step)
    if name.endswith("/times") and "host_to_host" in step:
        yield _times(name, step, steps.get("pytorch", {}))
        yield from path_floors(steps, step)
    if name.endswith("/layers") and "networks" in step:
        yield network_floors(name, steps)
        yield from layers(name, steps)


def _head(machine: Mapping[str, Any]) -> str:
    smi, versions = machine.get("smi", {}), machine.get("tensorrt", {})
    flavours = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    lines = [
        f"# GPU check on {machine.get('card', 'an unknown card')}",
        "",
        f"Driver {smi.get('driver_version', '?')}, {smi.get('memory.total', '?')}, SM clock up to "
        f"{smi.get('clocks.max.sm', '?')}, PCIe {smi.get('pcie.link.gen.max', '?')} × "
        f"{smi.get('pcie.link.width.current', '?')}; {machine.get('processor', '?')}, "
        f"{machine.get('cores', '?')} cores; Python {machine.get('python', '?')}; "
        f"{flavours or 'no TensorRT'}; commit {machine.get('commit') or 'unknown'}.",
    ]
    return "\n".join(lines)


def _verdicts(steps: Mapping[str, Any]) -> str:
    rows = []
    for name, step in steps.items():
        checks = [f"{'✓' if held else '✗'} {check}" for check, held in step.get("checks", {}).items()]
        tests = ", ".join(f"{number} {word}" for word, number in step.get("tests", {}).items())
        words = "; ".join(part for part in (step.get("reason", ""), tests, *checks) if part)
        rows.append((f"{SYMBOLS[step['state']]} {name}", f"{step.get('seconds', 0):.0f}", cell(words)))
    return table(("Step", "Seconds", "Result"), rows)


def _engines(name: str, step: Mapping[str, Any]) -> str:
    rows = [
        (
            network,
            f"{found['build_seconds']:.0f}",
            f"{found['bytes'] / 1e6:.1f}",
            *(_megabytes(found["activation"], key) for key in ("largest", "typical")),
            str(found["float32_layers"]),
        )
        for network, found in step["engines"].items()
    ]
    header = (
        "Network",
        "Build (s)",
        "Engine (MB)",
        "Scratch, largest (MB)",
        "typical (MB)",
        "float32 layers",
    )
    return f"## {name}, version {step['version']}\n\n" + table(header, rows)


def _comparison(name: str, step: Mapping[str, Any]) -> str:
    rows = [
        (
            scan,
            size_text(found["segmentation_size"]),
            f"{found['mask_dice']:.5f} ({found['mask_differs']})",
            "equal" if found["box_equal"] else "differs",
            f"{found['probabilities_largest']:.1e}" if "probabilities_largest" in found else "",
            f"{found['whole']:.5f}",
            f"{found['inside']:.5f}",
            " ".join(f"{dice:.4f}" for label, dice in found["dice"].items() if label != "0"),
        )
        for scan, found in step["scans"].items()
    ]
    header = (
        "Scan",
        "Network sees",
        "Mask Dice (voxels)",
        "Box",
        "Probabilities, largest difference",
        "Equal labels",
        "inside the box",
        "Dice per label",
    )
    return f"## {name}: against float32 on the CPU\n\n" + table(header, rows)


def _times(name: str, step: Mapping[str, Any], pytorch: Mapping[str, Any]) -> str:
    ways = {
        "host to host": step["host_to_host"],
        "without CUDA graphs": step["host_to_host_without_graphs"],
        "device to device": step["device_to_device"],
    }
    stages = list(step["host_to_host"]["stages"])
    rows = [
        (
            way,
            f"{found['wall']['median'] * 1e3:.2f} ({found['wall']['p90'] * 1e3:.2f})",
            *(f"{found['stages'][stage] * 1e3:.2f}" for stage in stages),
            f"{found['all_else'] * 1e3:.2f} ({found['all_else_share']:.0%})",
        )
        for way, found in ways.items()
    ]
    z, y, x, dtype = step["scan"]
    growth = step["device_peak_growth_bytes"]
    parts = [
        f"## {name}: {x}×{y}×{z} {dtype}, network sees {size_text(step['segmentation_size'])}",
        table(("Milliseconds, median (p90)", "Whole path", *stages, "All but networks"), rows),
        f"Loading {step['load_seconds']:.2f} s, first scan {step['first_seconds']:.2f} s. Pageable copies "
        f"{step['copy']['to_device_gb_s']:.1f} GB/s to the device and "
        f"{step['copy']['from_device_gb_s']:.1f} GB/s back. Host threads: "
        + ", ".join(f"{n}: {wall['median'] * 1e3:.1f} ms" for n, wall in step["host_threads"].items())
        + ". CUDA graphs "
        + ("were kept: the segmentation network was replayed." if step["replayed"] else "were not kept."),
        f"Memory: arena {step['arena_peak_bytes'] / 1e6:.0f} MB at most, scratch of the larger network "
        f"{step['activation_bytes'] / 1e6:.0f} MB, growth on the card by NVML (with context and engines) "
        + ("unknown." if growth is None else f"{growth / 1e6:.0f} MB."),
    ]
    if "networks" in pytorch:
        parts.append(_pytorch(step, pytorch))
    return "\n\n".join(parts)


def _pytorch(step: Mapping[str, Any], pytorch: Mapping[str, Any]) -> str:
    rows = []
    for network, found in pytorch["networks"].items():
        ours = step["device_to_device"]["stages"][network]
        cells = []
        for way in ("eager", "compile"):
            measured = found[way]
            cells.append(
                f"{measured['median'] * 1e3:.2f}" if "median" in measured else cell(measured["error"])
            )
        rows.append((network, size_text(found["size"]), f"{ours * 1e3:.2f}", *cells))
    title = f"PyTorch {pytorch['versions']['torch']}, float16, channels last 3-D"
    header = ("Network alone (ms)", "Size", "Ours", f"{title}, eager", "torch.compile")
    return table(header, rows)


def _megabytes(memory: Mapping[str, int] | None, key: str) -> str:
    return f"{memory[key] / 1e6:.0f}" if memory else "unknown"
