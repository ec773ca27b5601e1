"""The thread pool; calls from several threads, in forked processes and on older processors."""

from __future__ import annotations

import multiprocessing
import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from support.core_parameters import localization_parameters, segmentation_parameters

from efficientscn_trt import _core

LOCALIZATION = localization_parameters()
SEGMENTATION = segmentation_parameters()
CSRC = Path(__file__).resolve().parents[2] / "csrc"
COMPILER = shlex.split(os.environ.get("CXX", "c++"))


@pytest.mark.skipif(shutil.which(COMPILER[0]) is None, reason="there is no C++ compiler on this machine")
def test_the_pool_takes_each_task_once_and_throws_again_what_a_task_throws(tmp_path: Path) -> None:
    program = tmp_path / "thread_pool"
    sources = [Path(__file__).with_name("thread_pool.cc"), CSRC / "cpu" / "thread_pool.cc"]
    subprocess.run(
        [*COMPILER, "-std=c++17", "-O1", "-pthread", f"-I{CSRC}", *map(str, sources), "-o", str(program)],
        check=True,
    )
    done = subprocess.run([program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def all_stages(seed: int) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    size = (30 + seed, 70, 80)
    spacing = (3.0, 1.5, 1.4)
    volume = generator.integers(-1000, 1000, size).astype(np.int16)
    plan = _core.plan_localization(size, spacing, LOCALIZATION)
    box = _core.Box((5, 5, 5), (70, 80, 90))
    crop = _core.plan_segmentation(size, spacing, box, SEGMENTATION)
    labels = np.zeros(size, np.uint8)
    probabilities = generator.random((5, *crop.input_size), np.float32)
    counts = _core.write_labels(probabilities, crop, labels)
    return [
        _core.localization_input(volume, plan, LOCALIZATION),
        _core.segmentation_input(volume, spacing, crop, SEGMENTATION),
        labels,
        counts,
    ]


def assert_same(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_threads_at_once_do_not_disturb_each_other() -> None:
    alone = [all_stages(seed) for seed in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            for found, expected in zip(pool.map(all_stages, range(2)), alone, strict=True):
                assert_same(found, expected)


def send_stages(connection: Connection) -> None:
    connection.send(all_stages(0))


@pytest.mark.skipif(sys.platform != "linux", reason="forking is safe on Linux only")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_can_work_after_its_parent_did() -> None:
    expected = all_stages(0)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=send_stages, args=(sender,))
    process.start()
    assert receiver.poll(60), "the forked process hangs"
    assert_same(receiver.recv(), expected)
    process.join()


@pytest.mark.parametrize("name", ["portable", "avx2"])
def test_every_instruction_set_gives_the_same(name: str, tmp_path: Path) -> None:
    if name not in _core.build_info()["simd_compiled"]:
        pytest.skip(f"the core was built without {name}")
    script = (
        "import sys, numpy\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_threads\n"
        f"numpy.savez({str(tmp_path / 'stages.npz')!r}, *test_threads.all_stages(1))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "ESCN_SIMD": name})
    with np.load(tmp_path / "stages.npz") as arrays:
        assert_same([arrays[key] for key in arrays], all_stages(1))


def test_build_info() -> None:
    info = _core.build_info()
    assert info["version"] == _core.__version__
    assert info["threads"] == len(os.sched_getaffinity(0))
    assert info["simd_used"] in info["simd_compiled"]
    assert bool(info["cuda"]) != bool(info["cuda_reason"])
