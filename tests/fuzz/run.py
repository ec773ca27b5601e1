"""Fuzz the readers, bundles, the API and the core; end with 1 if there is a finding.

    python tests/fuzz/run.py [--seconds N] [--seed N] [TARGET ...]
    python tests/fuzz/run.py TARGET --again FILE

Each module in `targets` is tried in a process of its own, on all cores. It begins with the inputs that its
script makes, so the same seed tries the same inputs as far as the time lasts. A finding is an input that ends
in another exception than those of the package, a value that another reader contradicts, a signal, more than
20 s or more than 2 GiB. It stays in build/fuzz, and its target is tried no further.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from efficientscn_trt.system import usable_cores  # noqa: E402
from fuzz.processes import command as loop_command  # noqa: E402

FINDINGS = HERE.parents[1] / "build" / "fuzz"
TARGETS = sorted(path.stem for path in (HERE / "targets").glob("*.py"))
_LIMITS = ("-timeout=20", "-rss_limit_mb=2048", "-verbosity=1")
_LONGEST_START = 120  # seconds, also to write down a finding
_DONE = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+)", re.MULTILINE)
_SAVED = re.compile(r"Test unit written to (\S+)")


@dataclass(frozen=True)
class Outcome:
    target: str
    passed: bool
    seconds: float
    log: str

    def __str__(self) -> str:
        done = _DONE.search(self.log)
        inputs = f"{int(done[1]):,} inputs, {int(done[2]):,} branches, " if done else ""
        return f"{'passed' if self.passed else 'FAILED'} {self.target} ({inputs}{self.seconds:.0f} s)"


def tried(target: str, seconds: int, seed: int) -> Outcome:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="escn-fuzz-") as folder:
        options = (f"-seed={seed}", f"-max_total_time={seconds}", f"-artifact_prefix={FINDINGS}/{target}-")
        command, environment, tests = loop_command(target, *_LIMITS, *options)
        log = Path(folder, "log")
        with log.open("wb") as file:
            try:
                done = subprocess.run(
                    command,
                    cwd=tests,
                    env=environment | {"TMPDIR": folder},
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    timeout=seconds + _LONGEST_START,
                )
                passed = done.returncode == 0
            except subprocess.TimeoutExpired:
                passed = False
        return Outcome(target, passed, time.monotonic() - began, log.read_text(errors="replace"))


def show(outcome: Outcome) -> None:
    print(outcome, flush=True)
    if outcome.passed:
        return
    print(outcome.log[-8000:], flush=True)
    if saved := _SAVED.search(outcome.log):
        print(f"Again: {sys.executable} {HERE / 'run.py'} {outcome.target} --again {saved[1]}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"some of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=Path, metavar="FILE", help="try only this input, on the one TARGET")
    options = parser.parse_args()
    targets = options.targets or TARGETS
    if unknown := sorted(set(targets) - set(TARGETS)):
        parser.error(f"{', '.join(unknown)}: no target, expected some of {', '.join(TARGETS)}")
    if importlib.util.find_spec("atheris") is None:
        print("Nothing was fuzzed: atheris is not installed; it has wheels for Linux on x86-64.")
        return
    if options.again:
        command, environment, tests = loop_command(targets[0], str(options.again.absolute()))
        sys.exit(subprocess.run(command, cwd=tests, env=environment).returncode)
    FINDINGS.mkdir(parents=True, exist_ok=True)
    jobs = min(usable_cores(), len(targets))
    each = max(options.seconds * jobs // len(targets), 1)
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = []
        for outcome in pool.map(partial(tried, seconds=each, seed=options.seed), targets):
            show(outcome)
            outcomes.append(outcome)
    if failed := [outcome.target for outcome in outcomes if not outcome.passed]:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    try:
        main()
    except pytest.skip.Exception as missing:  # a tool for the build with sanitizers
        sys.exit(str(missing))
