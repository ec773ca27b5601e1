"""Build the extension for the Python that has PyTorch or CuPy, and test it with their arrays."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from on_gpu.context import BENCHMARKS, Context, skipped
from on_gpu.steps.kernels import TESTS


def run(context: Context) -> dict[str, Any]:
    if not context.torch_python:
        return skipped("no Python with PyTorch was named; give --torch-python")
    # Use that Python's packages, not those of the interpreter that runs the other steps.
    code = (
        "import json, sys, os; sys.path.insert(0, sys.argv[1]); "
        "from on_gpu.context import Context; from on_gpu.steps import build, kernels; "
        "context = Context(**json.loads(sys.argv[2])); result = build.run(context); "
        "os.environ['PYTHONPATH'] = str(context.package); "
        "result = result if result['state'] != 'ok' else kernels.run_tests(context, sys.argv[3]); "
        "print(json.dumps(result, default=str))"
    )
    environment = {"PATH": _path(context), "HOME": context.work}
    done = subprocess.run(
        [
            context.torch_python,
            "-c",
            code,
            str(BENCHMARKS),
            json.dumps(asdict(context)),
            str(TESTS / "test_interop.py"),
        ],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        return {"state": "failed", "reason": "the step failed", "output": done.stderr[-2000:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _path(context: Context) -> str:
    return f"{Path(context.torch_python).parent}:/usr/local/cuda/bin:/usr/local/bin:/usr/bin:/bin"
