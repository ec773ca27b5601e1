"""What a build says about CUDA, on a machine that may have none."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.core_names import WITH_CUDA_ONLY

from efficientscn_trt import DeviceError, _core

STATUS = _core.cuda_status()


def test_the_extension_imports_and_answers_without_a_driver() -> None:
    code = "import efficientscn_trt._core as core; status = core.cuda_status(); print(status['problem'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", "LD_LIBRARY_PATH": "", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == STATUS["problem"]


def test_it_says_how_it_was_built_and_what_is_missing() -> None:
    info = _core.build_info()
    assert STATUS["built"] is bool(info["cuda"])
    if not STATUS["built"]:
        assert "install the CUDA toolkit" in STATUS["problem"]
        assert info["cuda_reason"] in STATUS["problem"]
    elif not STATUS["devices"]:
        assert "driver" in STATUS["problem"]
    assert STATUS["runtime"] >= (11, 0) or not STATUS["built"]


@pytest.mark.skipif(STATUS["built"], reason="this build has the CUDA core")
def test_without_the_cuda_core_there_is_nothing_to_call() -> None:
    for name in WITH_CUDA_ONLY:
        assert not hasattr(_core, name)


@pytest.mark.skipif(not STATUS["built"] or not STATUS["problem"], reason="no CUDA core, or there is a GPU")
def test_without_a_gpu_the_calls_that_need_one_say_so() -> None:
    for call in (
        lambda: _core.DeviceBlock(100, 0),
        lambda: _core.CurrentDevice(0).__enter__(),
    ):
        with pytest.raises(DeviceError):
            call()


@pytest.mark.parametrize(
    ("architectures", "capability", "runs"),
    [
        ("75-real 86-real", (7, 5), True),
        ("75-real 86-real", (8, 6), True),
        ("75-real 86-real", (8, 9), True),
        ("75-real 86-real", (8, 0), False),
        ("75-real 86-real", (9, 0), False),
        ("75-real 90-real 90-virtual", (10, 0), True),
        ("75-real 90-real 90-virtual", (12, 1), True),
        ("90-virtual", (8, 9), False),
        ("90", (9, 0), True),
        ("90", (12, 0), True),
        ("90", (2**31 - 1, 0), True),
        ("90", (-(2**31), 0), False),
        ("120-real", (12, 1), True),
        ("", (9, 0), False),
        ("native", (9, 0), False),
        ("native 90-real", (9, 0), True),
        ("90a-real", (9, 0), True),
        ("90a", (10, 0), False),
        ("90a-virtual", (12, 0), False),
        ("100f-real", (10, 3), True),
        ("100f-virtual", (12, 0), False),
    ],
)
def test_which_gpus_a_build_runs_on(architectures: str, capability: tuple[int, int], runs: bool) -> None:
    assert _core.runs_on(architectures, *capability) is runs


@pytest.mark.parametrize(
    ("found", "driver", "devices", "message"),
    [
        (0, 0, [], "There is no NVIDIA driver on this machine; install one for a GPU."),
        (
            35,
            12020,
            [],
            "The NVIDIA driver is for CUDA 12.2, but this build needs CUDA 13.0; update the driver.",
        ),
        (100, 13000, [], "The NVIDIA driver finds no GPU (is CUDA_VISIBLE_DEVICES set?)."),
        (0, 13000, [], "The NVIDIA driver finds no GPU (is CUDA_VISIBLE_DEVICES set?)."),
        (999, 13000, [], "CUDA does not start: unknown error."),
        (
            0,
            13000,
            [("Tesla V100", 7, 0), ("Tesla P4", 6, 1)],
            "The Tesla V100 has compute capability 7.0, but this build is for 75-real 90-real; install it "
            "from source with CMAKE_CUDA_ARCHITECTURES=native.",
        ),
        (0, 13000, [("Tesla V100", 7, 0), ("H100", 9, 0)], ""),
    ],
)
def test_what_keeps_a_build_from_every_gpu(
    found: int, driver: int, devices: list[tuple[str, int, int]], message: str
) -> None:
    problem = _core.cuda_problem(
        found,
        "unknown error",
        driver=driver,
        runtime=13000,
        architectures="75-real 90-real",
        devices=devices,
    )
    assert problem == message
