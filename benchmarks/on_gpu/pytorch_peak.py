"""The card's highest arithmetic rate in PyTorch, by large matrix products."""

from __future__ import annotations

from itertools import pairwise

import torch

SIZE, RUNS = 8192, 12
TYPES = {"fp16": torch.float16, "fp32": torch.float32}


@torch.inference_mode()
def peak_flops() -> dict[str, float]:
    """Return FLOP/s of the fastest run by precision, two per multiply-add; float32 without TF32."""
    torch.set_float32_matmul_precision("highest")
    return {name: _flops(dtype) for name, dtype in TYPES.items()}


def _flops(dtype: torch.dtype) -> float:
    one, other = (torch.rand(SIZE, SIZE, device="cuda", dtype=dtype) - 0.5 for _ in range(2))
    events = [torch.cuda.Event(enable_timing=True) for _ in range(RUNS + 1)]
    torch.mm(one, other)
    events[0].record()
    for event in events[1:]:
        torch.mm(one, other)
        event.record()
    torch.cuda.synchronize()
    fastest = min(begin.elapsed_time(end) for begin, end in pairwise(events))
    return 2 * SIZE**3 / (fastest / 1e3)
