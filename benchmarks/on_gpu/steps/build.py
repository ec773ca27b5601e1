"""Compile the extension for this machine's GPU, into a folder to import it from. Needs no pip."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from on_gpu.context import REPOSITORY, Context


def run(context: Context) -> dict[str, Any]:
    begin = time.perf_counter()
    build = Path(context.work, f"build-{sys.implementation.cache_tag}")
    configure = [
        *("cmake", "-S", str(REPOSITORY), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release"),
        *("-DESCN_CUDA=ON", "-DESCN_CUDA_WERROR=ON", "-DCMAKE_CUDA_ARCHITECTURES=native"),
        *(f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={_pybind11()}"),
        *(("-G", "Ninja") if shutil.which("ninja") else ()),
    ]
    # Variables for this interpreter, such as PYTHONPATH, may break Python programs that the build runs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for command in (configure, ["cmake", "--build", str(build), "--parallel", str(os.cpu_count() or 1)]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            output = (done.stdout + done.stderr)[-3000:]
            return {"state": "failed", "reason": f"{' '.join(command[:2])} failed", "output": output}
    seconds = time.perf_counter() - begin
    sys.path.append(str(REPOSITORY / "tests"))
    from support.package_links import link_package

    link_package(context.package, next(build.glob("_core*")))
    return {"state": "ok", "build_seconds": round(seconds, 1), **_ask(context.package)}


def _pybind11() -> str:
    import pybind11

    return pybind11.get_cmake_dir()


def _ask(package: Path) -> dict[str, Any]:
    code = (
        "import json; from efficientscn_trt import _core as core; "
        "print(json.dumps({'build': core.build_info(), 'cuda': core.cuda_status()}))"
    )
    environment = os.environ | {"PYTHONPATH": f"{package}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        return {
            "state": "failed",
            "reason": "the extension cannot be imported",
            "output": done.stderr[-2000:],
        }
    found: dict[str, Any] = json.loads(done.stdout)
    problem = found["cuda"]["problem"]
    return found | ({"state": "failed", "reason": problem} if problem else {})
