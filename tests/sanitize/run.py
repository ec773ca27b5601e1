"""Run the core where sanitizers watch its accesses, arithmetic and threads; end with 1 if they report any.

    python tests/sanitize/run.py [--quick]

AddressSanitizer and UndefinedBehaviorSanitizer: calls.cc, thread_pool.cc, tests/core, tests/gpu.
ThreadSanitizer: calls.cc, thread_pool.cc, and the tests of threads in tests/core and tests/gpu.
`--quick` leaves out tests/gpu, ThreadSanitizer in Python, and the instruction sets below this machine's best.
Each build must first report deliberate faults, so that a build without sanitizers does not pass.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path.insert(0, str(TESTS))

from sanitize.builds import ADDRESS, PROGRAMS, THREAD, Build, Sanitizers  # noqa: E402

Done = subprocess.CompletedProcess[str]
failures: list[str] = []


def report(name: str, run: Callable[[], Done], expected: str | None = None) -> None:
    """Print a line for a run, which must succeed, or fail with the expected report."""
    began = time.monotonic()
    done = run()
    failed = done.returncode != 0
    passed = failed and expected in done.stdout if expected else not failed
    print(f"{'passed' if passed else 'FAILED'} {name} ({time.monotonic() - began:.0f} s)", flush=True)
    if not passed:
        print(done.stdout[-20000:], flush=True)
        failures.append(name)


def build(sanitizers: Sanitizers, *targets: str) -> Build:
    began = time.monotonic()
    built = Build(sanitizers, *targets)
    print(f"built with {sanitizers.flags[0]} ({time.monotonic() - began:.0f} s)", flush=True)
    return built


def reports_faults(built: Build) -> None:
    for fault, expected in built.sanitizers.faults.items():
        report(f"report of the fault {fault!r}", partial(built.program, "faults", fault), expected)


def extension_reports(built: Build, fault: str) -> None:
    run = partial(built.python, str(HERE / "extension_fault.py"), fault)
    report(f"report of the fault {fault!r} in the extension", run, built.sanitizers.faults[fault])


def programs(built: Build, sets: Sequence[str]) -> None:
    """The programs; the second on each instruction set, the best one by default."""
    report("thread_pool", partial(built.program, "thread_pool"))
    for name in sets:
        report(f"calls, {name or 'best'} instruction set", partial(built.program, "calls", ESCN_SIMD=name))


def tests(built: Build, *arguments: str) -> None:
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    report(f"pytest {' '.join(arguments)}", partial(built.python, *command))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    if sys.platform != "linux":
        print("Nothing runs with sanitizers: the emulated GPU needs Linux.")
        return
    sets = [""] if quick else ["", "avx2", "portable"]

    address = build(ADDRESS)
    reports_faults(address)
    extension_reports(address, "heap")
    programs(address, sets)
    tests(address, "core")
    if not quick:
        # The rest of test_interop.py needs a real GPU.
        tests(address, "gpu", "-k", "not test_interop or second_gpu")

    thread = build(THREAD, *(PROGRAMS if quick else ()))
    reports_faults(thread)
    programs(thread, sets)
    if not quick:
        extension_reports(thread, "race")
        tests(thread, "core/test_threads.py", "gpu/test_threads.py")
    if failures:
        sys.exit(f"failed: {', '.join(failures)}")


if __name__ == "__main__":
    try:
        main()
    except pytest.skip.Exception as missing:  # a tool for the build
        sys.exit(str(missing))
