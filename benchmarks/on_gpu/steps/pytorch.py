"""Time the same networks in PyTorch at the sizes of the timed scan, in float16 and channels-last 3-D layout.

Large matrix products measure the card's peak.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from on_gpu.context import REPOSITORY, Context, skipped
from on_gpu.work import NO_WORK, read_work

#: Run by a Python that has PyTorch, which need not be this one.
SCRIPT = Path(__file__).parents[1] / "pytorch_networks.py"


def run(context: Context) -> dict[str, Any]:
    if not context.torch_python:
        return skipped("no Python with PyTorch was named; give --torch-python")
    work = read_work(context.reference)
    if work is None:
        return skipped(NO_WORK)
    sizes = json.dumps([own.size for own in work.values()])
    done = subprocess.run(
        # Without this interpreter's PYTHONPATH, which has the packages of another Python.
        [context.torch_python, "-E", str(SCRIPT), sizes, str(context.repeats), str(REPOSITORY / "training")],
        env={"PATH": "/usr/local/cuda/bin:/usr/bin:/bin", "HOME": context.work},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        return {"state": "failed", "reason": "PyTorch failed", "output": done.stderr[-2000:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"state": "ok", **found}
