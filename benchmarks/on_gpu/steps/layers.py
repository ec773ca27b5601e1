"""Time each layer of both networks at the sizes of the timed scan, and record its work."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from efficientscn_trt.engines.running import ExecutionApi
from on_gpu.card import Card
from on_gpu.context import Context, skipped
from on_gpu.engines import choose_engines
from on_gpu.layer_times import layer_times
from on_gpu.work import NO_WORK, read_work


def run(context: Context) -> dict[str, Any]:
    work = read_work(context.reference)
    if work is None:
        return skipped(NO_WORK)
    _, choice, trt = choose_engines(context)
    card, api = Card(), ExecutionApi(trt)
    networks: dict[str, Any] = {network: {"work": asdict(own)} for network, own in work.items()}
    failures = []
    for network, own in work.items():
        plan = choice.file(network).read_bytes()
        try:
            networks[network] |= layer_times(api, plan, own.size, card, context.repeats)
        except Exception as error:  # the other network can still be timed
            failures.append(f"{network}: {type(error).__name__}: {error}")
    return {
        "state": "failed" if failures else "ok",
        **({"reason": "; ".join(failures)} if failures else {}),
        "precision": context.precision,
        "networks": networks,
    }
