"""The package with its core built for an emulated GPU (tests/emulator), and how to run Python on it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from efficientscn_trt import _core

from .package_links import REPOSITORY, link_package

EMULATOR = REPOSITORY / "tests" / "emulator"
_TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


@dataclass(frozen=True)
class EmulatedGpu:
    """`package`: the folder to import from. `driver`: the folder that has the core as libcuda.so.1."""

    package: Path
    driver: Path

    def environment(self, gpus: int = 1) -> dict[str, str]:
        """The environment of a process that finds this many GPUs."""
        first = {"PYTHONPATH": self.package, "LD_LIBRARY_PATH": self.driver}
        paths = {
            name: os.pathsep.join(filter(None, (str(path), os.environ.get(name))))
            for name, path in first.items()
        }
        return os.environ | paths | {"EMULATED_GPUS": str(gpus)}


def is_emulated() -> bool:
    """Whether this process has the emulated GPU."""
    return str(_core.build_info()["cuda"]).startswith("emulated")


def emulated_gpu(cache: Path) -> EmulatedGpu:
    """Build in `cache`, which keeps unchanged parts. Skips the test if a tool is missing."""
    return packaged(build_emulator(EMULATOR, cache))


def build_emulator(project: Path, cache: Path, *options: str, targets: Sequence[str] = ()) -> Path:
    """Build a CMake project that contains tests/emulator; return the folder in `cache`.

    `options` are CMake's; `targets`, if any, are all that is built. Skips the test if a tool is missing.
    """
    pybind11 = pytest.importorskip("pybind11")
    cmake = shutil.which("cmake", path=_TOOLS)
    headers = _headers()
    if cmake is None:
        pytest.skip("no cmake")
    if headers is None:
        pytest.skip("no headers of the CUDA toolkit: pip install 'cuda-toolkit[crt,cudart]'")
    # A build works only in its own folder and for its Python, so their hash names it.
    build = cache / hashlib.sha256(f"{cache}{sys.executable}".encode()).hexdigest()[:16]
    configure = [
        *(cmake, "-S", str(project), "-B", str(build)),
        *("-DCMAKE_BUILD_TYPE=Release", f"-DCUDA_HEADERS={headers}"),
        *(f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"),
        *options,
    ]
    compile_all = [cmake, "--build", str(build), "--parallel", str(os.cpu_count() or 1)]
    for command in (configure, [*compile_all, *(["--target", *targets] if targets else [])]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return build


def packaged(build: Path) -> EmulatedGpu:
    """The package with the core of a build."""
    module = next((build / "package").glob("_core.*"))
    link_package(build / "import", module)
    return EmulatedGpu(
        build / "import", _driver(build / "driver", build / "import" / "efficientscn_trt" / module.name)
    )


def _headers() -> Path | None:
    """The folder of the CUDA toolkit's headers: of the packages for the tests, else next to nvcc."""
    try:
        files = metadata.files("nvidia-cuda-runtime") or []
    except metadata.PackageNotFoundError:
        files = []
    found = [Path(str(file.locate())).parent for file in files if file.name == "cuda_runtime_api.h"]
    if nvcc := shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin"):
        dry_run = [nvcc, "--dryrun", "-x", "cu", "/dev/null"]
        told = subprocess.run(dry_run, capture_output=True, text=True).stderr
        tops = [line.partition("=")[2] for line in told.splitlines() if line.startswith("#$ TOP=")]
        found += [Path(top, "include") for top in tops]
    return next((folder for folder in found if (folder / "crt" / "host_defines.h").exists()), None)


def _driver(folder: Path, module: Path) -> Path:
    """Link the core under the driver's name in `folder`, so that both names load one library."""
    folder.mkdir(exist_ok=True)
    link = folder / "libcuda.so.1"
    link.unlink(missing_ok=True)
    link.symlink_to(module)
    return folder
