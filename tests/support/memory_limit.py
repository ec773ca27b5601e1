"""Read a scan in a process that may take only so much memory, and only so long."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import resource, sys
from pathlib import Path

import imagecodecs
import numpy as np

from efficientscn_trt import InputError
from efficientscn_trt.io.dicom import read_dicom
from efficientscn_trt.io.reading import read

imagecodecs.jpeg8_decode, imagecodecs.jpegls_decode, imagecodecs.jpeg2k_decode, imagecodecs.dicomrle_decode
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (int(sys.argv[2]) << 20),) * 2)
try:
    image = read(Path(sys.argv[1]), threads=1)
except InputError as error:
    print(error)
else:
    print("read", *image.array.shape, [warning.code for warning in image.warnings])
"""


def read_within(path: Path, mebibytes: int = 300, seconds: int = 60) -> str:
    """What the process says: the sentence that refuses the scan, or "read", its size and its warnings."""
    command = [sys.executable, "-c", _PROGRAM, str(path), str(mebibytes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()
