"""A GPU gives the same bits as the same sources on the emulated GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.device_outcomes import CASES, name_of, outcome
from support.emulated_gpu import emulated_gpu, is_emulated


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The outcomes of the emulated GPU in a separate process, with its streams in another order."""
    folder = tmp_path_factory.mktemp("emulated")
    environment = dict(os.environ) if is_emulated() else emulated_gpu(folder / "build").environment()
    command = [sys.executable, "-m", "support.device_outcomes", str(folder / "outcomes.npz"), "1"]
    tests = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, cwd=tests, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.load(folder / "outcomes.npz")


@pytest.mark.parametrize(("dtype", "half"), CASES, ids=[name_of(*case) for case in CASES])
def test_the_same_bits_as_the_same_lines_on_the_host(dtype: Any, half: bool, emulated: Any) -> None:
    for name, found in outcome(dtype, half, seed=0).items():
        np.testing.assert_array_equal(found, emulated[f"{name_of(dtype, half)} {name}"])
