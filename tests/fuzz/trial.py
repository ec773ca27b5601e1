"""Trials of networks in processes forked from one that has loaded OpenVINO, which takes half a second."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from efficientscn_trt.backends.trial import Outcome, Trial
from fuzz.worker import Worker, serve

_SECONDS = 5
_worker = Worker(__file__, seconds=3 * _SECONDS)


def by_fork(trial: Trial) -> Outcome:
    """`trial.run`, but in at most so many seconds."""
    outcome: Outcome | None = _worker.ask(trial)
    assert outcome is not None, "the process that forks died"
    return outcome


def _forked(trial: Trial) -> Outcome:
    from efficientscn_trt.backends.trial_worker import run

    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        signal.alarm(_SECONDS)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        run(trial, lambda word: os.write(writing, f"{word}\n".encode()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        reports = stream.read().split()
    exit_code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return Outcome(reports, exit_code, late=exit_code == -signal.SIGALRM)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(_forked)
