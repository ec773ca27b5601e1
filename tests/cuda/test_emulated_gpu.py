"""What tests/gpu asks of a GPU holds on an emulated one, so that every line of the CUDA core has run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.emulated_gpu import EmulatedGpu, emulated_gpu

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def emulated(request: pytest.FixtureRequest) -> EmulatedGpu:
    return emulated_gpu(request.config.cache.mkdir("emulated-gpu"))


@pytest.mark.parametrize(
    ("arguments", "gpus"),
    [
        (["test_pipeline.py"], 1),
        (["test_graphs.py"], 1),
        (["test_contexts.py"], 1),
        (["test_interop.py", "-k", "second_gpu"], 2),
    ],
    ids=["pipeline", "graphs", "contexts", "two GPUs"],
)
def test_gpu(arguments: list[str], gpus: int, emulated: EmulatedGpu) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=TESTS / "gpu", env=emulated.environment(gpus), capture_output=True, text=True
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    assert re.search(r"\d+ passed", done.stdout)
    assert "skipped" not in done.stdout


def test_the_translation_refuses_what_it_does_not_know(emulated: EmulatedGpu, tmp_path: Path) -> None:
    script, kernels = TESTS / "emulator" / "translate.py", tmp_path / "kernels.cu"
    kernels.write_text("__shared__ float tile[4][4];\n")
    done = subprocess.run(
        [sys.executable, str(script), str(kernels), str(tmp_path / "out.cc")], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "__shared__ in a form that tests/emulator/translate.py does not know" in done.stderr
    assert not (tmp_path / "out.cc").exists()
