"""The same networks in PyTorch, float16 in channels-last 3-D layout, at the sizes of the scan that is timed;
and the card's peak, by large matrix products."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from on_gpu.context import BENCHMARKS, REPOSITORY, Context, skipped
from on_gpu.work import NO_WORK, read_work


def run(context: Context) -> dict[str, Any]:
    if not context.torch_python:
        return skipped("no Python with PyTorch was named; give --torch-python")
    work = read_work(context.reference)
    if work is None:
        return skipped(NO_WORK)
    sizes = json.dumps([own.size for own in work.values()])
    script = str(BENCHMARKS / "gpu" / "pytorch_networks.py")
    done = subprocess.run(
        # Isolated from this interpreter's packages, which are of another Python.
        [context.torch_python, "-E", script, sizes, str(context.repeats), str(REPOSITORY / "training")],
        env={"PATH": "/usr/local/cuda/bin:/usr/bin:/bin", "HOME": context.work},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        return {"state": "failed", "reason": "PyTorch failed", "output": done.stderr[-2000:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"state": "ok", **found}
