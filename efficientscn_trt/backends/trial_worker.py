"""The process that `trial` starts: it does with each network what the caller would, at the smallest size."""

from __future__ import annotations

import faulthandler
import pickle
import signal
import sys
from collections.abc import Callable

import numpy as np

from .child_process import end_with_caller, leave_no_core, take_stdout
from .openvino_loader import load_with_openvino
from .trial import FAILS, SECONDS, WORKS, Trial

_SPARE_SECONDS = 5  # the caller ends this process first, if it still runs


def main() -> None:
    """Read a `Trial` from stdin, and report on stdout."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler would wait for OpenVINO
    end_with_caller()
    leave_no_core()
    reports = take_stdout()
    trial: Trial = pickle.load(sys.stdin.buffer)
    faulthandler.dump_traceback_later(SECONDS + _SPARE_SECONDS, exit=True, file=sys.stdout)

    def report(word: str) -> None:
        print(word, file=reports, flush=True)

    run(trial, report)


def run(trial: Trial, report: Callable[[str], object]) -> None:
    """Try the networks, and report as `Outcome` says."""
    for name in trial.names:
        report(name)
        try:
            _run(trial, name)
        except Exception:
            report(FAILS)
        else:
            report(WORKS)


def _run(trial: Trial, name: str) -> None:
    manifest = trial.bundle.manifest
    size = tuple(map(min, getattr(manifest.pipeline, name).valid_sizes))
    image = np.random.default_rng(0).uniform(-1, 1, size).astype(np.float32)
    channels, dtype = ((), np.bool_) if name == "localization" else ((len(manifest.labels),), np.float32)
    network = load_with_openvino(trial.bundle, name, trial.precision, trial.threads)
    network.run(image, np.empty((1, *channels, *size), dtype))
