"""Scans segmented in processes forked from one that has loaded OpenVINO, which takes half a second.

Each bundle has a process of its own, as most users' have. In one for all of them, a network might die of what
another one did.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from efficientscn_trt import BundleError, DeviceError, Segmenter
from efficientscn_trt.backends import trial as trials
from efficientscn_trt.backends.trial import Outcome, Trial
from efficientscn_trt.backends.trial_worker import run
from efficientscn_trt.triples import Triple
from fuzz.worker import Worker, serve

_TRIAL_SECONDS, _SECONDS = 5, 15
_MOST_MEMORY = 8 << 30  # bytes of addresses
_worker = Worker(__file__, seconds=_SECONDS + 4)


@dataclass(frozen=True)
class Segmented:
    """What a bundle made of a scan: labels [z, y, x], the box in mm (z, y, x), and the codes of warnings."""

    labels: np.ndarray
    start_mm: Triple
    end_mm: Triple
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """The sentence of a BundleError, a DeviceError, or of a MemoryError."""

    sentence: str


@dataclass(frozen=True)
class Died:
    """How a process ended: its exit code, or less 0 the number of a signal."""

    exit_code: int


def segmented(bundle: Path, scan: np.ndarray, spacing_xyz: Triple) -> Segmented | Refused | Died | None:
    """What becomes of `scan` in HU [z, y, x] with the networks in `bundle`. None if it takes too long."""
    found: Segmented | Refused | Died | None = _worker.ask((bundle, scan, spacing_xyz))
    return found


def _answer(request: tuple[Path, np.ndarray, Triple]) -> Any:
    content, exit_code = _forked(lambda write: write(_segmented(*request)), _SECONDS)
    return Died(exit_code) if exit_code else pickle.loads(content)


def _segmented(bundle: Path, scan: np.ndarray, spacing_xyz: Triple) -> bytes:
    trials.run = _trial
    found: Segmented | Refused
    try:
        result = Segmenter(bundle, "cpu", "fp32", 1).segment(scan, spacing=spacing_xyz)
    except (BundleError, DeviceError) as error:
        found = Refused(str(error))
    except MemoryError:
        found = Refused("Not enough memory.")
    else:
        codes = tuple(warning.code for warning in result.warnings)
        found = Segmented(np.asarray(result.array), result.box.start_mm, result.box.end_mm, codes)
    return pickle.dumps(found)


def _trial(trial: Trial) -> Outcome:
    """`trial.run`, but in a forked process, and in less time."""
    content, exit_code = _forked(
        lambda write: run(trial, lambda word: write(f"{word}\n".encode())), _TRIAL_SECONDS
    )
    return Outcome(content.decode().split(), exit_code, late=exit_code == -signal.SIGALRM)


def _forked(work: Callable[[Callable[[bytes], object]], object], seconds: int) -> tuple[bytes, int]:
    """What `work` writes in a forked process, and how that ended."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        signal.alarm(seconds)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        with os.fdopen(writing, "wb", buffering=0) as stream:
            work(stream.write)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        content = stream.read()
    return content, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    from fuzz import segmented as module  # its classes are then the same here and where they are asked for

    serve(module._answer)
