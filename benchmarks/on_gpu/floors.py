"""The least time that a card needs for a network's layers: for their arithmetic, and to move their data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from on_gpu.work import LayerWork, NetworkWork

VALUE_BYTES = {"fp16": 2, "fp32": 4}


@dataclass(frozen=True)
class Rates:
    """What the card does at best, as measured on it: FLOP/s (two a multiply-add), and bytes a second of its
    memory. None where that was not measured.
    """

    flops: float | None
    bytes: float | None


def rates_of(steps: Mapping[str, Any], precision: str) -> Rates:
    """By the report's steps `pytorch` and `machine`."""
    return Rates(
        steps.get("pytorch", {}).get("peak_flops", {}).get(precision),
        steps.get("machine", {}).get("bytes_per_second", {}).get("on_device"),
    )


@dataclass(frozen=True)
class Floors:
    """Of layers that hold values of `value_bytes`: `flop`; `bytes`, each layer's inputs, outputs and weights
    once; and the seconds that the rates allow for each, and layer by layer for the larger of both.
    """

    flop: int
    bytes: int
    by_flop: float | None
    by_bytes: float | None
    by_layer: float | None


def floors(layers: Iterable[LayerWork], value_bytes: int, rates: Rates) -> Floors:
    """Of `layers` together."""
    pairs = [(2 * layer.multiply_adds, value_bytes * (layer.moved + layer.weights)) for layer in layers]
    flop, moved = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    by_layer = None
    if rates.flops and rates.bytes:
        by_layer = sum(max(pair[0] / rates.flops, pair[1] / rates.bytes) for pair in pairs)
    return Floors(flop, moved, _seconds(flop, rates.flops), _seconds(moved, rates.bytes), by_layer)


def fused_bytes(work: NetworkWork, value_bytes: int) -> int:
    """That even one kernel for the whole network would move: its input, its output, all weights."""
    return value_bytes * (work.ends + sum(layer.weights for layer in work.layers))


def _seconds(amount: float, rate: float | None) -> float | None:
    return amount / rate if rate else None
