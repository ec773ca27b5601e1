"""What a plan of any origin is, by its header, and whether it could run here. Nothing is loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from support.engines import H100, RTX, RTX_4090, T4, machine
from support.fake_tensorrt import fake_tensorrt
from support.plans import SIZE, SM_89, new_plan, old_plan, rtx_plan

from efficientscn_trt.engines import Machine, inspection
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed, installed_version
from efficientscn_trt.engines.inspection import inspect_plan
from efficientscn_trt.engines.running import ExecutionApi
from efficientscn_trt.errors import BundleError

with_rtx = pytest.mark.skipif(installed_version(TENSORRT_RTX) is None, reason="TensorRT-RTX is not installed")


@pytest.fixture(autouse=True)
def nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed TensorRT is only asked where a test says so."""
    monkeypatch.setattr(inspection, "installed", lambda flavour: None)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "some.engine"
    path.write_bytes(content)
    return path


def build_plan(*capabilities: str) -> bytes:
    """A plan of TensorRT-RTX itself, of one exponential."""
    trt: Any = installed(TENSORRT_RTX)
    log = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(log)
    network, config = builder.create_network(0), builder.create_builder_config()
    config.num_compute_capabilities = len(capabilities)
    for index, name in enumerate(capabilities):
        assert config.set_compute_capability(getattr(trt.ComputeCapability, name), index)
    layer = network.add_unary(network.add_input("x", trt.float32, (3, 4)), trt.UnaryOperation.EXP)
    network.mark_output(layer.get_output(0))
    return bytes(builder.build_serialized_network(network, config))


@with_rtx
@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (("SM75",), ("7.5",)),
        (("SM80",), ("8.0",)),
        (("SM86",), ("8.6",)),
        (("SM89",), ("8.9",)),
        (("SM120",), ("12.0",)),
        (("SM121",), ("12.1",)),
        (("SM80", "SM89", "SM120"), ("8.0", "8.9", "12.0")),
        # By default it is for Ampere "and later", so for more than it can name.
        ((), ("8.0", "8.6", "8.9", "12.0", "12.1")),
    ],
)
def test_plans_of_tensorrt_rtx_itself(
    capabilities: tuple[str, ...], expected: tuple[str, ...], tmp_path: Path
) -> None:
    plan = build_plan(*capabilities)
    found = inspect_plan(write(tmp_path, plan), machine(None))
    header = found.header
    assert (header.flavour, header.version) == ("tensorrt-rtx", installed_version(TENSORRT_RTX))
    assert header.compute_capabilities == expected
    assert header.newer == (not capabilities)
    assert header.bytes == found.bytes == len(plan)
    assert found.sha256 == hashlib.sha256(plan).hexdigest()


@with_rtx
def test_tensorrt_rtx_itself_judges_a_header() -> None:
    """Without a GPU it only says whether the header is one."""
    api = ExecutionApi(installed(TENSORRT_RTX))
    assert api.engine_validity(b"ftrt" + build_plan("SM89")[4:64]) == ("INVALID", ("MALFORMED_ENGINE",))


@pytest.mark.parametrize(
    ("content", "flavour", "version"),
    [
        (new_plan((10, 3, 0, 26)), "tensorrt", "10.3.0.26"),
        (new_plan((8, 6, 1, 6)), "tensorrt", "8.6.1.6"),
        (rtx_plan(), "tensorrt-rtx", "1.7.1.116"),
        (old_plan(232), "tensorrt", "8.5"),
        (old_plan(205), "tensorrt", "8.2"),
        (old_plan(96), "tensorrt", None),
    ],
)
def test_versions(content: bytes, flavour: str, version: str | None, tmp_path: Path) -> None:
    header = inspect_plan(write(tmp_path, content), machine()).header
    assert (header.flavour, header.version) == (flavour, version)


@pytest.mark.parametrize(
    ("version", "bits", "expected", "newer"),
    [
        # As 1.4.0.76, 1.5.0.114 and 1.6.1.120 wrote them, by default and for their last compute capability.
        ((1, 4, 0, 76), 0x3E, ("8.0", "8.6", "8.9", "12.0"), True),
        ((1, 4, 0, 76), 0x10, ("12.0",), False),
        ((1, 5, 0, 114), 0x7E, ("8.0", "8.6", "8.9", "12.0", "12.1"), True),
        ((1, 5, 0, 114), 0x20, ("12.1",), False),
        ((1, 6, 1, 120), 0x7E, ("8.0", "8.6", "8.9", "12.0", "12.1"), True),
        ((1, 8, 0, 2), 0x7E, None, False),
    ],
)
def test_compute_capabilities_of_other_releases(
    version: tuple[int, ...], bits: int, expected: tuple[str, ...] | None, newer: bool, tmp_path: Path
) -> None:
    header = inspect_plan(write(tmp_path, rtx_plan(version, bits)), machine()).header
    assert (header.compute_capabilities, header.newer) == (expected, newer)


@pytest.mark.parametrize(
    ("content", "here", "could_run", "sentence"),
    [
        (rtx_plan(), machine(RTX_4090), True, ""),
        (
            rtx_plan(),
            machine(H100),
            False,
            "It is for GPUs of compute capability 8.9, but NVIDIA H100 has 9.0; build one for it.",
        ),
        (
            rtx_plan(bits=SM_89 | 1 << 6),
            machine(H100),
            None,
            "It is also for GPUs whose compute capability this version of efficientscn-trt does not know.",
        ),
        (rtx_plan(bits=SM_89 | 1 << 6), machine(RTX_4090), True, ""),
        (
            rtx_plan((1, 8, 0, 2)),
            machine(RTX_4090, versions={"tensorrt-rtx": "1.8.0.2"}),
            None,
            "Its header does not tell for which GPUs it was built.",
        ),
        (rtx_plan(), machine(None), False, "No NVIDIA GPU with a driver was found here."),
        (
            rtx_plan(),
            machine(versions={}),
            False,
            "It needs TensorRT-RTX 1.7.1.116, which is not installed; run: pip install "
            "tensorrt-rtx==1.7.1.116.",
        ),
        (
            rtx_plan((1, 6, 0, 9)),
            machine(),
            False,
            "It was built by TensorRT-RTX 1.6.0.9, but 1.7.1.116 is installed, and a plan runs only on the "
            "version that built it; build it again, or run: pip install tensorrt-rtx==1.6.0.9.",
        ),
        (
            new_plan((11, 4, 0, 106)),
            machine(H100),
            None,
            "Its header does not tell for which GPUs it was built.",
        ),
        (
            new_plan((11, 0, 0, 5)),
            machine(H100),
            None,
            "It was built by TensorRT 11.0.0.5, and 11.4.0.106 is installed, so it runs only if it was built "
            "version compatible, which its header does not say.",
        ),
        (
            new_plan((11, 4, 0, 106)),
            machine(H100, lean=frozenset({"tensorrt"})),
            None,
            "Only the lean runtime of TensorRT 11.4.0.106 is installed, so it runs only if it was built "
            "version compatible, which its header does not say.",
        ),
        *(
            (
                new_plan(built),
                machine(H100, versions={"tensorrt": here}),
                None,
                "Its header does not tell for which GPUs it was built.",
            )
            for built, here in (
                ((10, 3, 0, 26), "10.3.0"),
                ((10, 0, 0, 6), "10.0.0b6"),
                ((10, 14, 1, 48), "10.14.1.48.post1"),
            )
        ),
        (
            new_plan((10, 3, 0, 26)),
            machine(H100, versions={}),
            False,
            "It needs TensorRT 10.3.0.26, which is not installed; run: pip install 'tensorrt==10.3.0.*'.",
        ),
        (new_plan((11, 9, 0, 1)), machine(H100), False, "It was built by TensorRT 11.9.0.1, but 11.4.0.106"),
        (new_plan((10, 3, 0, 2)), machine(H100), False, "It was built by TensorRT 10.3.0.2, but 11.4.0.106"),
        (old_plan(232), machine(H100, versions={"tensorrt": "8.5.3.1"}), None, "which GPUs it was built."),
        (old_plan(232), machine(H100), False, "or run: pip install 'tensorrt==8.5.*'."),
        (
            old_plan(96),
            machine(H100),
            False,
            "It was built by a TensorRT before 8.6, and its header says no more than the number 96 of its "
            "serialization; build it again.",
        ),
        (
            rtx_plan(size=SIZE + 1),
            machine(RTX_4090),
            False,
            "It is damaged: it has 200 bytes, and its header says 201; copy or build it again.",
        ),
    ],
)
def test_whether_it_could_run_here(
    content: bytes, here: Machine, could_run: bool | None, sentence: str, tmp_path: Path
) -> None:
    found = inspect_plan(write(tmp_path, content), here)
    assert found.could_run is could_run
    assert sentence in " ".join((*found.problems, *found.unknown))
    assert found.validity is None


def asked(
    validity: tuple[str, int], gpu: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[inspection.PlanInspection, list[Any]]:
    """Inspect a plan where TensorRT-RTX has this opinion of it; also return what it was asked."""
    trt = fake_tensorrt(RTX)
    trt.validity = validity
    monkeypatch.setattr(inspection, "installed", lambda flavour: trt)
    monkeypatch.setattr(inspection, "current", lambda gpu: nullcontext())
    found = inspect_plan(write(folder, rtx_plan()), machine(gpu))
    return found, [call[1] for call in trt.calls if call[0] == "validity"]


def test_tensorrt_rtx_is_asked_with_the_header_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, headers = asked(("SUBOPTIMAL", 0), RTX_4090, tmp_path, monkeypatch)
    assert (found.validity, found.could_run) == ("SUBOPTIMAL", True)
    assert headers == [found.path.read_bytes()[:64]]


def test_what_tensorrt_rtx_objects_to_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = asked(("INVALID", 1 | 4), RTX_4090, tmp_path, monkeypatch)
    assert found.problems == (
        "TensorRT-RTX 1.7.1.116 says that it cannot run here: VERSION_MISMATCH, OLD_CUDA_DRIVER.",
    )
    assert found.could_run is False


def test_tensorrt_rtx_is_not_asked_without_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, headers = asked(("VALID", 0), None, tmp_path, monkeypatch)
    assert (found.validity, headers) == (None, [])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "begins with nothing, because it is empty, expected ftrt"),
        (b"\x08\x07\x12\x00 an ONNX file", "begins with 08 07 12 00, expected ftrt"),
        (b"PK\x03\x04 an archive", "begins with 50 4b 03 04, expected"),
        (b"hello, world", "begins with hell, expected ftrt (TensorRT from 8.6 on), ptrt"),
        (rtx_plan()[:63], "is cut off: it has 63 bytes, and the header of a plan alone has 64"),
        (new_plan((10, 3, 0, 26))[:31], "is cut off: it has 31 bytes, and the header of a plan alone has 32"),
        (old_plan(232)[:23], "is cut off: it has 23 bytes, and the header of a plan alone has 24"),
        (b"ftrt\x01" + bytes(99), "has a header of an unknown form (number 1, expected 0); upgrade"),
    ],
)
def test_files_that_are_no_plan(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = write(tmp_path, content)
    with pytest.raises(BundleError) as error:
        inspect_plan(path, machine())
    assert str(error.value).startswith(f"{path} ")
    assert sentence in str(error.value)


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"There is no file .*nothing; name a plan\."):
        inspect_plan(tmp_path / "nothing", machine())
    with pytest.raises(BundleError, match="is no file, expected a plan; name one"):
        inspect_plan(tmp_path, machine())
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BundleError, match="is no file, expected a plan; name one"):
        inspect_plan(tmp_path / "pipe", machine())


def test_any_header_is_read_or_refused(tmp_path: Path) -> None:
    numbers = random.Random(0)
    for tag in (b"ftrt", b"ptrt", b"vtrt"):
        for length in range(100):
            path = write(tmp_path, tag + numbers.randbytes(length))
            for here in (machine(None), machine(T4), machine(H100, versions={"tensorrt": "8.5.3.1"})):
                try:
                    found = inspect_plan(path, here)
                except BundleError:
                    continue
                assert dataclasses.asdict(found)
