"""Call the core as no caller may. A core with sanitizers must end this with a report.

python extension_fault.py heap|race
"""

from __future__ import annotations

import sys
import threading

import numpy as np

from efficientscn_trt import _core


def heap() -> None:
    """Read past the end of an array."""
    scan = np.zeros((64, 64, 64), np.int16)
    print(_core.value_summary(np.lib.stride_tricks.as_strided(scan, (65, 64, 64), scan.strides)))


def race() -> None:
    """Write one array from two threads."""
    logits, spatial = np.zeros((4, 64, 64, 64), np.float32), np.zeros((4, 16, 16, 16), np.float32)
    barrier = threading.Barrier(2)

    def write() -> None:
        for _ in range(5):
            barrier.wait()
            _core.combine(logits, spatial, stride=4, threads=1)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    {"heap": heap, "race": race}[sys.argv[1]]()
