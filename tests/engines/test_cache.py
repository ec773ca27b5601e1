"""If the bundle has no engine, one is built into the user's cache once, and the user is told."""

from __future__ import annotations

import errno
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.engines import H100, RTX, RTX_4090, T4, TENSORRT, machine, use_fakes, with_engines

from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines.build import build_engines
from efficientscn_trt.engines.cache import find_obstacle, obtain_engine
from efficientscn_trt.errors import DeviceError, OutputError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return use_fakes(monkeypatch)


def test_an_engine_of_the_bundle_is_taken(bundle: Bundle, cache: Path) -> None:
    built = with_engines(bundle)
    notices: list[str] = []
    assert obtain_engine(built, machine(), notice=notices.append).path == bundle.path
    assert notices == []
    assert not cache.exists()


def test_a_missing_engine_is_built_once(bundle: Bundle, cache: Path, fakes: dict[str, Any]) -> None:
    notices: list[str] = []
    first = obtain_engine(bundle, machine(H100), notice=notices.append)
    assert (first.flavour, first.version, first.precision) == ("tensorrt", TENSORRT, "fp16")
    assert first.localization.compute_capabilities == ("9.0",)
    assert cache in first.file("segmentation").parents
    (notice,) = notices
    assert "does not have engines of both networks" in notice
    assert f"Building engines for NVIDIA H100 with TensorRT {TENSORRT} into {first.path}." in notice
    calls = len(fakes["tensorrt"].calls)
    assert obtain_engine(bundle, machine(H100), notice=notices.append) == first
    assert len(notices) == 1
    assert len(fakes["tensorrt"].calls) == calls
    assert not list(bundle.path.glob("engines"))


def test_of_several_that_start_at_once_one_builds(
    bundle: Bundle, cache: Path, fakes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    building, others_wait = threading.Event(), threading.Event()
    build = build_engines

    def slowly(*arguments: Any, **options: Any) -> Any:
        building.set()
        assert others_wait.wait(60)
        return build(*arguments, **options)

    monkeypatch.setattr("efficientscn_trt.engines.cache.build_engines", slowly)
    told: list[str] = []

    def notice(sentence: str) -> None:
        told.append(sentence)
        if "waits for them" in sentence:
            others_wait.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(obtain_engine, bundle, machine(H100), notice=notice)
        assert building.wait(60)
        second = pool.submit(obtain_engine, bundle, machine(H100), notice=notice)
        assert first.result() == second.result()
    assert ["Building engines for" in sentence for sentence in told] == [True, False]


def test_rtx_builds_for_the_gpu_here_alone(bundle: Bundle, cache: Path, fakes: dict[str, Any]) -> None:
    found = obtain_engine(bundle, machine(RTX_4090, versions={"tensorrt-rtx": RTX}), notice=print)
    assert found.localization.compute_capabilities == ("8.9",)


def test_rtx_is_not_built_for_a_gpu_that_would_not_run_it(
    bundle: Bundle, cache: Path, fakes: dict[str, Any]
) -> None:
    alone = machine(T4, versions={"tensorrt-rtx": RTX})
    with pytest.raises(DeviceError) as caught:
        obtain_engine(bundle, alone, notice=print)
    assert str(caught.value) == find_obstacle(bundle, alone)
    assert str(caught.value) == (
        "TensorRT-RTX runs no 3-D convolutions on GPUs of compute capability 7.5, according to its support "
        "matrix. For Tesla T4 run: pip install tensorrt."
    )
    assert obtain_engine(bundle, machine(T4), notice=print).flavour == "tensorrt"


def test_each_gpu_and_precision_has_its_own(bundle: Bundle, cache: Path, fakes: dict[str, Any]) -> None:
    notices: list[str] = []
    for gpu, precision in ((H100, "auto"), (RTX_4090, "auto"), (H100, "fp32")):
        obtain_engine(bundle, machine(gpu), precision, notice=notices.append)
    assert len(notices) == 3
    assert obtain_engine(bundle, machine(H100), "fp32", notice=notices.append).precision == "fp32"
    assert len(notices) == 3


def test_an_unfit_engine_is_named_in_the_notice(bundle: Bundle, cache: Path, fakes: dict[str, Any]) -> None:
    built = with_engines(bundle)
    (built.path / built.manifest.engines[0].file).write_bytes(b"other code")
    notices: list[str] = []
    found = obtain_engine(built, machine(), notice=notices.append)
    assert found.path != built.path
    assert "was altered: its SHA-256 is" in notices[0]


def test_a_damaged_cache_is_built_again(bundle: Bundle, cache: Path, fakes: dict[str, Any]) -> None:
    notices: list[str] = []
    first = obtain_engine(bundle, machine(), notice=notices.append)
    (first.path / "localization.onnx").write_bytes(b"spoilt")
    assert obtain_engine(bundle, machine(), notice=notices.append) == first
    first.file("localization").write_bytes(b"spoilt")
    assert obtain_engine(bundle, machine(), notice=notices.append) == first
    assert len(notices) == 3


def test_another_bundle_is_another_entry(
    bundle: Bundle, cache: Path, fakes: dict[str, Any], tmp_path: Path
) -> None:
    from support.tiny_bundle import write_tiny_bundle

    obtain_engine(bundle, machine(), notice=print)
    other = write_tiny_bundle(tmp_path / "other", name="other")
    obtain_engine(other, machine(), "fp32", notice=print)
    assert sum(entry.is_dir() for entry in (cache / "engines").iterdir()) == 2


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (machine(None), r"No NVIDIA GPU with a driver was found here"),
        (
            machine(versions={}),
            r"NVIDIA GeForce RTX 4090 could run the networks, but TensorRT is not installed; run: pip "
            r"install tensorrt or pip install tensorrt-rtx\.",
        ),
        (
            machine(H100, versions={"tensorrt-rtx": RTX}),
            r"TensorRT-RTX 1\.7\.1\.116 cannot build for the compute capability 9\.0",
        ),
    ],
)
def test_what_is_missing_is_said(
    bundle: Bundle, cache: Path, fakes: dict[str, Any], where: Any, sentence: str
) -> None:
    with pytest.raises(DeviceError, match=sentence):
        obtain_engine(bundle, where, notice=print)


def test_the_lean_runtime_builds_nothing_and_says_so_before_a_notice(
    bundle: Bundle, cache: Path, fakes: dict[str, Any]
) -> None:
    del fakes["tensorrt"].Builder
    lean = machine(H100, versions={"tensorrt": TENSORRT}, lean=frozenset({"tensorrt"}))
    notices: list[str] = []
    with pytest.raises(
        DeviceError,
        match=r"--target tensorrt --version-compatible\. The TensorRT here .* cannot build any; run: pip",
    ):
        obtain_engine(bundle, lean, notice=notices.append)
    assert notices == []


def test_beside_a_lean_runtime_tensorrt_rtx_builds(
    bundle: Bundle, cache: Path, fakes: dict[str, Any]
) -> None:
    del fakes["tensorrt"].Builder
    both = machine(lean=frozenset({"tensorrt"}))
    assert obtain_engine(bundle, both, notice=print).flavour == "tensorrt-rtx"


def test_no_cache(bundle: Bundle, fakes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", "/proc/cache")
    with pytest.raises(
        DeviceError,
        match=r"build them: .* They cannot be built now, because no cache folder is writable; set "
        "EFFICIENTSCN_CACHE to",
    ):
        obtain_engine(bundle, machine(), notice=print)


def test_a_cache_that_fills_the_disk(
    bundle: Bundle, cache: Path, fakes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OutputError, match=r"cache cannot be written \(.*No space left .*EFFICIENTSCN_CACHE"):
        obtain_engine(bundle, machine(), notice=print)
    assert [entry.name for entry in cache.rglob("*") if entry.is_file()] == ["engines.lock"]


def test_a_failed_build_is_tried_again(bundle: Bundle, cache: Path, fakes: dict[str, Any]) -> None:
    fakes["tensorrt"].failure = "out of memory"
    with pytest.raises(DeviceError, match="out of memory"):
        obtain_engine(bundle, machine(), notice=print)
    fakes["tensorrt"].failure = None
    assert obtain_engine(bundle, machine(), notice=print).flavour == "tensorrt"
