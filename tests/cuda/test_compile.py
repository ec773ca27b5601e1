"""The CUDA sources compile for every GPU from Turing to Blackwell, without a warning."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CSRC = Path(__file__).resolve().parents[2] / "csrc"
ARCHITECTURES = (75, 80, 86, 89, 90, 120)
NVCC = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")

pytestmark = pytest.mark.skipif(NVCC is None, reason="there is no nvcc on this machine")


@pytest.mark.parametrize("source", sorted(CSRC.glob("cuda/kernels/*.cu")), ids=lambda path: path.name)
def test_kernels_compile_without_warnings(source: Path, tmp_path: Path) -> None:
    known = subprocess.run([str(NVCC), "--list-gpu-code"], capture_output=True, text=True, check=True).stdout
    missing = [code for code in ARCHITECTURES if not re.search(rf"sm_{code}\b", known)]
    assert not missing, f"{NVCC} cannot compile for {missing}; install the CUDA toolkit 12.8 or newer"
    command = [str(NVCC), "-c", str(source), "-o", str(tmp_path / "kernels.o"), "-I", str(CSRC)]
    # The options of csrc/cuda/cuda.cmake, except the optimiser's, which adds no warnings.
    command += ["-std=c++17", "--fmad=false", "--expt-relaxed-constexpr", "-Xptxas", "-O0"]
    command += ["--Werror", "all-warnings", "-Xcompiler", "-Wall,-Wextra", "--threads", "2"]
    command += [f"-gencode=arch=compute_{code},code=sm_{code}" for code in ARCHITECTURES]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
