"""The settings of a step, and how it is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parents[1]
REPOSITORY = BENCHMARKS.parent


@dataclass(frozen=True)
class Context:
    """The settings of a step.

    `work` is the folder that keeps builds and engines between runs, `reference` the folder that
    gpu_reference.py wrote. `flavour` and `precision` describe the step's engines; they are empty for a step
    without engines.
    """

    work: str
    reference: str
    repeats: int
    flavour: str = ""
    precision: str = ""
    torch_python: str = ""

    @property
    def package(self) -> Path:
        """Folder from which to import the package that was built here."""
        return Path(self.work, f"package-{sys.implementation.cache_tag}")

    @property
    def bundle(self) -> Path:
        """The bundle with engines of this flavour and precision."""
        return Path(self.work, f"{self.flavour}-{self.precision}")


def run_step(name: str, context: Context, timeout: float) -> dict[str, Any]:
    """Run the step `name` in its own process. Its result has the "state" ok, failed, skipped or refused."""
    result = Path(context.work, "result.json")
    result.unlink(missing_ok=True)
    paths = [str(context.package), str(BENCHMARKS), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "EFFICIENTSCN_CACHE": str(Path(context.work, "cache")),
    }
    command = [sys.executable, "-m", "on_gpu.context", name, json.dumps(asdict(context)), str(result)]
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            command, env=environment, cwd=context.work, timeout=timeout, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return {"state": "failed", "reason": f"did not end within {timeout:.0f} s", "seconds": timeout}
    seconds = round(time.perf_counter() - begin, 1)
    if not result.exists():
        tail = (done.stderr or done.stdout)[-1500:]
        return {
            "state": "failed",
            "reason": f"exit code {done.returncode}",
            "output": tail,
            "seconds": seconds,
        }
    document: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    if document["state"] in ("failed", "refused") and (printed := done.stdout + done.stderr):
        document["printed"] = printed[-1500:]  # TensorRT-RTX prints its errors
    return document | {"seconds": seconds}


def skipped(reason: str) -> dict[str, Any]:
    """Return the result of a step that cannot run on this machine."""
    return {"state": "skipped", "reason": reason}


def judged(results: Mapping[str, Any], checks: Mapping[str, bool]) -> dict[str, Any]:
    """Return the result of a step with checks by name: ok if all of them hold, else failed."""
    return {"state": "ok" if all(checks.values()) else "failed", "checks": dict(checks), **results}


def _main() -> None:
    name, context, result = sys.argv[1:]
    from importlib import import_module

    try:
        found = import_module(f"on_gpu.steps.{name}").run(Context(**json.loads(context)))
    except Exception as error:
        found = {
            "state": "failed",
            "reason": f"{type(error).__name__}: {error}",
            "output": traceback.format_exc()[-1500:],
        }
    Path(result).write_text(json.dumps(found, default=_plain), encoding="utf-8")


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


if __name__ == "__main__":
    _main()
