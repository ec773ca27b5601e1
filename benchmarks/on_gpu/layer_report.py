"""Where a network's time goes, layer by layer, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from on_gpu.floors import VALUE_BYTES, Rates, floors, rates_of
from on_gpu.tables import cell, milliseconds, share, size_text, table
from on_gpu.work import LayerWork, work_of

SLOWEST = 15
LONGEST = 64  # characters of a name in the table; the JSON has the whole name

_KINDS = {"Reformatting": "reformatting", "PWN(": "elementwise"}


def layers(name: str, steps: Mapping[str, Any]) -> Iterator[str]:
    """Yield title, text and table of each network whose layers the step `name`, "…/layers", timed."""
    step = steps[name]
    value_bytes, rates = VALUE_BYTES[step["precision"]], rates_of(steps, step["precision"])
    details = steps.get(name.replace("/layers", "/tactics"), {}).get("networks", {})
    for network, found in step["networks"].items():
        if "layers" in found:
            yield f"### {name}: {network} at {size_text(found['size'])}"
            work = {layer.name: layer for layer in work_of(found["work"]).layers}
            timed = [
                _TimedLayer(
                    layer["name"],
                    layer["milliseconds"] / 1e3,
                    work_in(layer["name"], work),
                    details.get(network, {}).get(layer["name"], {}),
                )
                for layer in found["layers"]
            ]
            yield from _network(found, timed, value_bytes, rates)


@dataclass(frozen=True)
class _TimedLayer:
    """A layer of TensorRT. `work`: the ONNX file's layers in it. `detail`: its part of `layer_details`."""

    name: str
    seconds: float
    work: list[LayerWork]
    detail: Mapping[str, Any]

    @property
    def kind(self) -> str:
        for beginning, kind in _KINDS.items():
            if self.name.startswith(beginning):
                return kind
        for layer in self.work:
            return {"AvgPool": "pooling", "Interpolate": "upsampling"}.get(layer.kind, "convolutions")
        return str(self.detail.get("type") or "other")


def _network(
    found: Mapping[str, Any], timed: list[_TimedLayer], value_bytes: int, rates: Rates
) -> Iterator[str]:
    total = sum(layer.seconds for layer in timed)
    kinds: dict[str, float] = {}
    for layer in timed:
        kinds[layer.kind] = kinds.get(layer.kind, 0.0) + layer.seconds
    by_kind = (
        f"{kind} {milliseconds(seconds)} ms ({share(seconds, total)})"
        for kind, seconds in sorted(kinds.items(), key=lambda kind: -kind[1])
    )
    yield (
        f"{len(timed)} layers take {milliseconds(total)} ms by the profiler (medians of {found['runs']} "
        f"runs); a run without it takes {found['milliseconds']:.2f} ms. By kind: {', '.join(by_kind)}."
    )
    timed = sorted(timed, key=lambda layer: -layer.seconds)
    rows = []
    for layer in timed[:SLOWEST]:
        least = floors(layer.work, value_bytes, rates).by_layer if layer.work else None
        rows.append(
            (
                cell(_cut(layer.name.replace("StatefulPartitionedCall/", ""))),
                _microseconds(layer.seconds),
                share(layer.seconds, total),
                _microseconds(least),
                share(least, layer.seconds),
                cell(_formats(layer.detail)),
                cell(_cut(layer.detail.get("tactic", "").replace("xmma_fprop_implicit_gemm_", ""))),
            )
        )
    header = ("Slowest layers (µs)", "Took", "Share", "At least", "Reached", "Reads → writes", "Tactic")
    shown = len(header) if any(layer.detail for layer in timed) else 5
    yield table(header[:shown], [row[:shown] for row in rows])
    if rest := timed[SLOWEST:]:
        seconds = sum(layer.seconds for layer in rest)
        yield f"The other {len(rest)}: {milliseconds(seconds)} ms ({share(seconds, total)})."


def work_in(name: str, work: Mapping[str, LayerWork]) -> list[LayerWork]:
    """Return the ONNX file's layers in TensorRT's layer `name`, which joins the names of what it fuses."""
    if name.startswith("Reformatting"):
        return []
    return [work[part] for part in re.split(r"[\s+|(),]+", name) if part in work]


def _formats(detail: Mapping[str, Any]) -> str:
    """Return the formats of the inputs, and size and format of the outputs, for a batch of one."""
    reads = dict.fromkeys(_format(tensor).partition(" ")[2] for tensor in detail.get("inputs", ()))
    writes = (_format(tensor).removeprefix("1×") for tensor in detail.get("outputs", ()))
    return f"{', '.join(reads)} → {', '.join(writes)}" if detail else ""


def _format(tensor: str) -> str:
    """Shorten the sentences that TensorRT 8 writes for formats."""
    tensor = re.sub(r"Row major linear (\w+)( format)?", r"\1 linear", tensor)
    return re.sub(r"Channel major (\w+) format where \w+ % (\d+) == 0", r"\1 channels last in \2", tensor)


def _microseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1e6:.0f}"


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
