"""The same networks in PyTorch, float16 in channels-last 3-D layout, at the sizes that the pipeline used."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from efficientscn_trt import _core
from efficientscn_trt import bundle as bundles
from efficientscn_trt.pipeline import Parameters
from gpu.context import BENCHMARKS, REPOSITORY, Context, skipped
from gpu.reference import reference_scans
from gpu.steps.times import full_size


def run(context: Context) -> dict[str, Any]:
    if not context.torch_python:
        return skipped("no Python with PyTorch was named; give --torch-python")
    scan = full_size(list(reference_scans(context.reference))[-1])
    parameters = Parameters.of(bundles.load(Path(context.reference, "bundle")))
    plan = _core.plan_localization(scan.voxels.shape, scan.spacing, parameters.localization)
    corners = _core.mask_box(scan.mask)
    assert corners is not None
    box = _core.box_from_mask(*corners, plan, parameters.localization)
    crop = _core.plan_segmentation(scan.voxels.shape, scan.spacing, box, parameters.segmentation)
    sizes = json.dumps([plan.input_size, crop.input_size])
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
