"""Measured times next to the card's floors, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from on_gpu.floors import VALUE_BYTES, Rates, floors, fused_bytes, rates_of
from on_gpu.tables import milliseconds, share, size_text, table
from on_gpu.work import work_of

_DTYPE_BYTES = {"int16": 2}


def network_floors(name: str, steps: Mapping[str, Any]) -> str:
    """Return the floors of the networks in the step `name`, "…/layers", as Markdown."""
    step, times = steps[name], steps.get(name.replace("/layers", "/times"), {})
    value_bytes, rates = VALUE_BYTES[step["precision"]], rates_of(steps, step["precision"])
    rows, fused = [], []
    for network, found in step["networks"].items():
        work = work_of(found["work"])
        floor = floors(work.layers, value_bytes, rates)
        alone = found["milliseconds"] / 1e3 if "milliseconds" in found else None
        in_path = times.get("device_to_device", {}).get("stages", {}).get(network)
        if network == "segmentation" and list(work.size) != list(times.get("segmentation_size", work.size)):
            in_path = None  # the engines found another box than the CPU
        rows.append(
            (
                network,
                size_text(work.size),
                milliseconds(alone),
                milliseconds(in_path),
                f"{floor.flop / 1e9:.0f}",
                milliseconds(floor.by_flop),
                f"{floor.bytes / 1e6:.0f}",
                milliseconds(floor.by_bytes),
                milliseconds(floor.by_layer),
                share(floor.by_layer, alone or in_path),
            )
        )
        fused.append(f"{network} {fused_bytes(work, value_bytes) / 1e6:.1f} MB")
    header = (
        "Network (ms)",
        "Size (z, y, x)",
        "Alone",
        "In the path",
        "GFLOP",
        "at the peak",
        "MB, each layer once",
        "at the bandwidth",
        "The larger, layer by layer",
        "Reached",
    )
    title = f"## {name}: how far from the card's floor"
    text = (
        f"{_rates(rates, steps, step['precision'])} A layer is a convolution, pooling or upsampling with the "
        "operations after it that need no neighbours. It reads its inputs and weights once and writes its "
        "output once; with the L2 cache it may need less. *Reached* is the floor layer by layer as a share "
        f"of the time alone. A network fused into one layer would move at least: {', '.join(fused)}."
    )
    return "\n\n".join((title, table(header, rows), text))


def path_floors(steps: Mapping[str, Any], times: Mapping[str, Any]) -> Iterator[str]:
    """Yield the floors of the copies outside the networks as Markdown, if the rates were measured."""
    rates = steps.get("machine", {}).get("bytes_per_second", {})
    if "box_voxels" not in times or "to_device" not in rates:
        return
    *size, dtype = times["scan"]
    value, box = _DTYPE_BYTES[dtype], times["box_voxels"]
    moves = {
        "localization input": ("the scan to the device", value * math.prod(size), rates["to_device"]),
        "segmentation input": ("its box once more", value * box, rates["to_device"]),
        "labels": ("the box's labels back", box, rates["from_device"]),
    }
    rows = []
    for stage, (what, moved, rate) in moves.items():
        seconds = times["host_to_host"]["stages"][stage]
        rows.append((stage, what, moved, moved / rate, seconds))
    rows.append(
        (
            "together",
            "",
            sum(row[2] for row in rows),
            sum(row[3] for row in rows),
            sum(row[4] for row in rows),
        )
    )
    header = ("Outside the networks, host to host (ms)", "Moves", "MB", "Took", "At least", "Reached")
    text = (
        f"*At least* is the time of page-locked copies: {rates['to_device'] / 1e9:.1f} GB/s to the device, "
        f"{rates['from_device'] / 1e9:.1f} GB/s back, measured here."
    )
    cells = [
        (stage, what, f"{moved / 1e6:.1f}", milliseconds(took), milliseconds(least), share(least, took))
        for stage, what, moved, least, took in rows
    ]
    yield table(header, cells)
    yield text


def _rates(rates: Rates, steps: Mapping[str, Any], precision: str) -> str:
    product = {"fp16": "float16", "fp32": "float32 without TF32"}[precision]
    arithmetic = (
        f"The peak is {rates.flops / 1e12:.0f} TFLOP/s, measured by PyTorch's {product} product of 8192² "
        "matrices"
        if rates.flops
        else "The peak was not measured (the step pytorch has none), so the arithmetic has no floor"
    )
    clock = steps.get("machine", {}).get("bytes_per_second", {}).get("memory")
    by_clock = f" ({clock / 1e12:.2f} by the memory's clock)" if clock else ""
    memory = (
        f"the bandwidth is {rates.bytes / 1e12:.2f} TB/s{by_clock}, measured by a copy on the card"
        if rates.bytes
        else "the bandwidth was not measured (the step machine has none)"
    )
    return f"{arithmetic}; {memory}."
