"""Try networks in a process of their own before OpenVINO reads them in this one, because it dies of some."""

from __future__ import annotations

import logging
import pickle
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..bundle import NETWORKS, Bundle
from ..errors import BundleError
from .child_process import ending_of, python_command
from .tried import is_tried, remember

SECONDS = 20
"""How long the networks of a trial may take."""

WORKS, FAILS = "works", "fails"
"""What the process reports after the name of each network. What fails there, fails here too."""

_log = logging.getLogger(__name__)

_LONGEST_START = 60  # seconds
_one_at_a_time = threading.Lock()
#: By these a user or the system ends a process, so they say nothing about a network.
_FROM_OUTSIDE = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM")


@dataclass(frozen=True)
class Trial:
    """Networks to try, with the arguments of `load_with_openvino`."""

    bundle: Bundle
    names: tuple[str, ...]
    precision: str
    threads: int


@dataclass(frozen=True)
class Outcome:
    """What the process reported: a name before each network, and WORKS or FAILS after it; and how it ended.

    `late`: it was killed after SECONDS.
    """

    reports: Sequence[str]
    exit_code: int
    late: bool


def try_networks(bundle: Bundle, names: Sequence[str], precision: str, threads: int) -> None:
    """Try those of the networks `names` of `bundle` that were not tried before.

    Raises BundleError if OpenVINO dies of one, or does not finish. What it refuses is left to the caller.
    """

    def untried() -> tuple[str, ...]:
        return tuple(name for name in names if not is_tried(bundle, name, precision))

    if untried():
        with _one_at_a_time:
            if names := untried():
                _judge(Trial(bundle, names, precision, threads))


def _judge(trial: Trial) -> None:
    try:
        outcome = run(trial)
    except (OSError, RuntimeError) as error:  # no process or no thread can be started
        _log.info("The networks were not tried: %s", error)
        return
    begun = [report for report in outcome.reports if report in trial.names]
    ending = ending_of(outcome.exit_code)
    if not begun or ending in _FROM_OUTSIDE:
        _log.info("The networks were not tried: the process ended with %s", ending)
        return
    if outcome.exit_code or len(outcome.reports) < 2 * len(trial.names):
        file = trial.bundle.file(begun[-1])
        found = f"dies of {file} ({ending})"
        if outcome.late:
            found = f"does not finish with {file} in {SECONDS} s"
        raise BundleError(f"OpenVINO {found}, expected a network that it can run; export the bundle again.")
    for name, report in zip(begun, outcome.reports[1::2], strict=True):
        if report == WORKS:
            remember(trial.bundle, name, trial.precision)


def run(trial: Trial) -> Outcome:
    """Start the process, and wait until it ends. Raises OSError, RuntimeError if that is not possible."""
    with subprocess.Popen(
        python_command(f"from {__package__}.trial_worker import main; main()"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin and process.stdout
        try:
            words = (line.decode(errors="replace").strip() for line in process.stdout)
            reports = (word for word in words if word in (*NETWORKS, WORKS, FAILS))
            with _killed_after(_LONGEST_START, process):
                with suppress(BrokenPipeError):
                    pickle.dump(trial, process.stdin)
                    process.stdin.close()
                first = next(reports, None)
            with _killed_after(SECONDS, process) as late:
                rest = list(reports)
                exit_code = process.wait()
            return Outcome([first, *rest] if first else [], exit_code, late.is_set())
        finally:
            process.kill()


@contextmanager
def _killed_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """Kill `process` if the block takes longer, and set the event."""
    late = threading.Event()

    def kill() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, kill)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
