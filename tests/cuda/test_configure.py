"""How CMake configures the build with nvcc, without it, and with one that does not work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CMAKE = shutil.which("cmake", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

pytestmark = pytest.mark.skipif(CMAKE is None, reason="there is no cmake on this machine")


def fake_nvcc(folder: Path, codes: str = "", status: int = 0) -> Path:
    """Make a toolkit's folder whose nvcc prints `codes` and exits with `status`."""
    nvcc = folder / "toolkit" / "bin" / "nvcc"
    nvcc.parent.mkdir(parents=True)
    nvcc.write_text(f"#!/bin/sh\nprintf '{codes}'\nexit {status}\n")
    nvcc.chmod(0o755)
    return nvcc


def configure(build: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    pybind11 = pytest.importorskip("pybind11")
    command = [
        str(CMAKE),
        "-S",
        str(REPOSITORY),
        "-B",
        str(build),
        f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUDA")}
    return subprocess.run([*command, *options], env=kept | environment, capture_output=True, text=True)


def architectures(tmp_path: Path, function: str, *arguments: str, **variables: str) -> str:
    """Return what a function of architectures.cmake sets. Raises AssertionError with CMake's message."""
    script = tmp_path / "ask.cmake"
    script.write_text(
        f'include("{REPOSITORY}/csrc/cuda/architectures.cmake")\n'
        f"{function}({' '.join(arguments)} found)\n"
        'message(STATUS "${found}")\n'
    )
    defined = [f"-D{name}={value}" for name, value in variables.items()]
    done = subprocess.run([str(CMAKE), *defined, "-P", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, " ".join(done.stderr.split())
    return done.stdout.removeprefix("-- ").strip()


def test_without_cuda_the_build_says_so_and_what_to_install(tmp_path: Path) -> None:
    done = configure(tmp_path, "-DESCN_CUDA=OFF")
    assert done.returncode == 0, done.stderr
    assert (
        "CUDA none (ESCN_CUDA=OFF): for GPUs install the CUDA toolkit 12 or newer and build again"
        in done.stdout
    )


def test_an_nvcc_that_does_not_work_leaves_the_build_without_cuda(tmp_path: Path) -> None:
    toolkit = fake_nvcc(tmp_path, status=1).parents[1]
    done = configure(tmp_path / "auto", CUDA_HOME=str(toolkit))
    assert done.returncode == 0, done.stderr
    assert "CUDA none (no working nvcc was found)" in done.stdout
    insisting = configure(tmp_path / "auto", "-DESCN_CUDA=ON", CUDA_HOME=str(toolkit))
    assert insisting.returncode != 0
    assert "ESCN_CUDA=ON, but no working nvcc was found; install the CUDA toolkit" in " ".join(
        insisting.stderr.split()
    )


@pytest.mark.parametrize(
    ("codes", "processor", "expected"),
    [
        (
            "sm_75 sm_80 sm_86 sm_87 sm_89 sm_90 sm_100 sm_120 sm_121",
            "x86_64",
            "75-real;80-real;86-real;89-real;90-real;120-real;90-virtual",
        ),
        (
            "sm_75 sm_80 sm_86 sm_87 sm_89 sm_90 sm_100 sm_120",
            "aarch64",
            "75-real;80-real;86-real;87-real;89-real;90-real;120-real;90-virtual",
        ),
        ("sm_50 sm_75 sm_80 sm_86 sm_87", "aarch64", "75-real;80-real;86-real;87-real;87-virtual"),
        ("sm_900 sm_1200", "x86_64", ""),
        ("", "x86_64", ""),
    ],
)
def test_architectures_that_are_built_by_default(
    codes: str, processor: str, expected: str, tmp_path: Path
) -> None:
    nvcc = fake_nvcc(tmp_path, codes.replace(" ", r"\n"))
    found = architectures(
        tmp_path, "escn_default_architectures", f'"{nvcc}"', CMAKE_SYSTEM_PROCESSOR=processor
    )
    assert found == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("75-real;90a-real", "75-real;90a-real"),
        ("native", "90-real"),
        ("all", "75-real;80"),
        ("all-major", "80"),
    ],
)
def test_names_of_sets_of_architectures_are_recorded_as_architectures(
    asked: str, expected: str, tmp_path: Path
) -> None:
    found = architectures(
        tmp_path,
        "escn_built_architectures",
        CMAKE_CUDA_ARCHITECTURES=asked,
        CMAKE_CUDA_ARCHITECTURES_NATIVE="90-real",
        CMAKE_CUDA_ARCHITECTURES_ALL="75-real;80",
        CMAKE_CUDA_ARCHITECTURES_ALL_MAJOR="80",
    )
    assert found == expected


@pytest.mark.parametrize("found", ["", "No CUDA devices found.-real"])
def test_native_without_a_gpu_is_refused(found: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is native, but this machine has no GPU to build for; name an"):
        architectures(
            tmp_path,
            "escn_built_architectures",
            CMAKE_CUDA_ARCHITECTURES="native",
            CMAKE_CUDA_ARCHITECTURES_NATIVE=found,
        )
