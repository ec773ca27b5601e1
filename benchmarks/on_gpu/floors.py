"""The least time that a card needs for the arithmetic and the data of a network's layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from on_gpu.work import LayerWork, NetworkWork

VALUE_BYTES = {"fp16": 2, "fp32": 4}


@dataclass(frozen=True)
class Rates:
    """The card's best measured rates: FLOP/s, with two per multiply-add, and bytes per second of its memory.

    A rate is None if it was not measured.
    """

    flops: float | None
    bytes: float | None


def rates_of(steps: Mapping[str, Any], precision: str) -> Rates:
    """Return the rates that the report's steps `pytorch` and `machine` measured."""
    return Rates(
        steps.get("pytorch", {}).get("peak_flops", {}).get(precision),
        steps.get("machine", {}).get("bytes_per_second", {}).get("on_device"),
    )


@dataclass(frozen=True)
class Floors:
    """The work and the floors of some layers.

    `bytes` counts each layer's inputs, outputs and weights once. `by_flop` and `by_bytes` are the seconds
    that `flop` and `bytes` need at the card's rates. `by_layer` sums the larger of both over the layers.
    Seconds are None if a rate is unknown.
    """

    flop: int
    bytes: int
    by_flop: float | None
    by_bytes: float | None
    by_layer: float | None


def floors(layers: Iterable[LayerWork], value_bytes: int, rates: Rates) -> Floors:
    """Return the floors of `layers` together, whose values take `value_bytes` each."""
    pairs = [(2 * layer.multiply_adds, value_bytes * (layer.moved + layer.weights)) for layer in layers]
    flop, moved = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    by_layer = None
    if rates.flops and rates.bytes:
        by_layer = sum(max(pair[0] / rates.flops, pair[1] / rates.bytes) for pair in pairs)
    return Floors(flop, moved, _seconds(flop, rates.flops), _seconds(moved, rates.bytes), by_layer)


def fused_bytes(work: NetworkWork, value_bytes: int) -> int:
    """Return what even one kernel for the whole network must move: its input, its output and all weights."""
    return value_bytes * (work.ends + sum(layer.weights for layer in work.layers))


def _seconds(amount: float, rate: float | None) -> float | None:
    return amount / rate if rate else None
