"""A forked process uses networks, or says at once why it cannot. It never waits for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from efficientscn_trt.bundle import Bundle
from efficientscn_trt.segmenter import DEMO_BUNDLE

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

# `child(work)` runs `work` in a forked process, and prints how long it took and how the process ended.
_PROGRAM = """
import os, sys, threading, time
from contextlib import suppress
import numpy as np
from efficientscn_trt import DeviceError, Segmenter
from efficientscn_trt.backends.cpu import CpuBackend
from support.scans import SPACING_XYZ, block_array, block_labels

def right(segmenter):
    labels = segmenter.segment(block_array(), spacing=SPACING_XYZ).array
    np.testing.assert_array_equal(labels, block_labels())

def child(work):
    begin = time.monotonic()
    pid = os.fork()
    if not pid:
        work()
        print("worked", flush=True)
        sys.exit()  # as an ordinary process ends, which destroys everything
    while time.monotonic() < begin + 30:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            print("status", os.waitstatus_to_exitcode(status))
            return
        time.sleep(0.01)
    os.kill(pid, 9)
    print("hangs")

def refused(work):
    begin = time.monotonic()
    try:
        work()
    except DeviceError as error:
        print("quick" if time.monotonic() < begin + 5 else "slow", error)
        os._exit(0)

def make(precision="auto"):
    return Segmenter(sys.argv[1], "cpu", precision)
"""


def _lines(bundle: Path, program: str) -> list[str]:
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _PROGRAM + program, bundle],
        cwd=tests,
        env=os.environ | {"PYTHONPATH": str(tests)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_child_uses_the_networks_of_its_parent() -> None:
    program = """
segmenter = make("fp32")

def same():
    np.testing.assert_array_equal(segmenter.segment(block_array(), spacing=SPACING_XYZ).array, labels)

child(lambda: segmenter.segment(block_array()[:20], spacing=SPACING_XYZ))  # it may still be loading
labels = segmenter.segment(block_array(), spacing=SPACING_XYZ).array
child(same)
child(lambda: child(same))
"""
    assert _lines(DEMO_BUNDLE, program) == ["worked", "status 0"] * 4


def test_a_child_compiles_networks_of_its_own(tiny_bundle: Bundle) -> None:
    program = """
segmenter = make()
right(segmenter)
segmenter.segment(np.tile(block_array(), (1, 2, 1)), spacing=SPACING_XYZ)  # leaves OpenVINO's threads idle
child(lambda: right(segmenter))

def again():
    global segmenter
    segmenter = make()  # nothing refers to the parent's any more
    right(segmenter)

child(again)
child(lambda: child(again))
right(segmenter)
"""
    assert _lines(tiny_bundle.path, program) == ["worked", "status 0"] * 4


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_processes_takes_a_segmenter(tiny_bundle: Bundle, method: str, precision: str) -> None:
    program = f"""
import multiprocessing
try:
    segmenter = make({precision!r})
except DeviceError:
    print("not here")
else:
    with multiprocessing.get_context({method!r}).Pool(1) as pool:
        result = pool.apply(segmenter.segment, (block_array(),), {{"spacing": SPACING_XYZ}})
    np.testing.assert_array_equal(result.array, block_labels())
"""
    if _lines(tiny_bundle.path, program) == ["not here"]:
        pytest.skip("this processor has no bfloat16 instructions")


_BUSY = {
    "segments": """
segmenter = make()
networks = CpuBackend.segment
CpuBackend.segment = lambda *arguments: (busy.set(), go.wait(60), networks(*arguments))[-1]
thread = threading.Thread(target=right, args=[segmenter])
""",
    "loads": """
networks = CpuBackend.__init__
segmenter = make()
CpuBackend.__init__ = lambda *arguments: (busy.set(), go.wait(60), networks(*arguments))[-1]
thread = threading.Thread(target=make)
""",
}


@pytest.mark.parametrize("work", _BUSY)
def test_a_child_says_that_a_thread_was_busy(tiny_bundle: Bundle, work: str) -> None:
    program = f"""
busy, go = threading.Event(), threading.Event()
{_BUSY[work]}
thread.start()
busy.wait(60)
child(lambda: None)
for use in (lambda: right(segmenter), make, segmenter.trim):
    child(lambda: refused(use))
child(lambda: child(lambda: refused(make)))
go.set()
thread.join()
CpuBackend.{"segment" if work == "segments" else "__init__"} = networks
child(lambda: right(segmenter))  # nothing is at work any more
"""
    message = (
        "quick This process was forked while another thread loaded or ran networks, so it can run none; "
        'start processes by the method "spawn", or fork while no scan is being segmented.'
    )
    good, refusal = ["worked", "status 0"], [message, "status 0"]
    assert _lines(tiny_bundle.path, program) == [*good, *refusal * 3, *refusal, *good, *good]
