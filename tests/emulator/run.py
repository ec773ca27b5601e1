"""Run tests/gpu on the emulated GPU, which is built under build/emulator first.

    python tests/emulator/run.py [PYTEST ARGUMENTS]

There are two GPUs. Of the environment, EMULATED_SEED is that of the order in which streams work (tests set
it), and EMULATED_REPLAY what work in a graph takes of its time.
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
