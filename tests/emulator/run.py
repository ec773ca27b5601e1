"""Build the emulated GPU under build/emulator and run tests/gpu on it.

    python tests/emulator/run.py [PYTEST ARGUMENTS]

There are two GPUs. The environment variable EMULATED_SEED seeds the order of the streams' work; tests set it.
EMULATED_REPLAY is the share of its usual time that work takes in a graph.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from support.emulated_gpu import REPOSITORY, emulated_gpu  # noqa: E402

if __name__ == "__main__":
    emulated = emulated_gpu(REPOSITORY / "build" / "emulator")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(sys.argv[1:] or ["."])]
    sys.exit(subprocess.run(command, cwd=TESTS / "gpu", env=emulated.environment(gpus=2)).returncode)
