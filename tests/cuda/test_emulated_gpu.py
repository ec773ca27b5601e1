"""tests/gpu passes on an emulated GPU, so every line of the CUDA core runs without a GPU."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from support.emulated_gpu import EmulatedGpu, emulated_gpu

TESTS = Path(__file__).resolve().parents[1]
FILES = {path.name: [path.name] for path in sorted((TESTS / "gpu").glob("test_*.py"))}
# PyTorch, CuPy and PyCUDA need a real GPU.
FILES["test_interop.py"] += ["-k", "second_gpu"]


@pytest.fixture(scope="module")
def emulated(request: pytest.FixtureRequest) -> EmulatedGpu:
    return emulated_gpu(request.config.cache.mkdir("emulated-gpu"))


@pytest.fixture(scope="module")
def runs(emulated: EmulatedGpu) -> Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]:
    """Run pytest on each file, as many at a time as there are cores."""

    def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        environment = emulated.environment(gpus=2)
        return subprocess.run(command, cwd=TESTS / "gpu", env=environment, capture_output=True, text=True)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {name: pool.submit(run, arguments) for name, arguments in FILES.items()}


@pytest.mark.parametrize("name", FILES)
def test_gpu(name: str, runs: dict[str, Future[subprocess.CompletedProcess[str]]]) -> None:
    done = runs[name].result()
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    assert re.search(r"\d+ passed", done.stdout)
    assert "skipped" not in done.stdout


def test_the_translation_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    script, kernels = TESTS / "emulator" / "translate.py", tmp_path / "kernels.cu"
    kernels.write_text("__shared__ float tile[4][4];\n")
    done = subprocess.run(
        [sys.executable, str(script), str(kernels), str(tmp_path / "out.cc")], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "__shared__ in a form that tests/emulator/translate.py does not know" in done.stderr
    assert not (tmp_path / "out.cc").exists()
