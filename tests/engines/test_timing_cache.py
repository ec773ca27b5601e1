"""TensorRT's timings of kernels: where they are kept, and what is refused rather than lost or overwritten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.engines import H100, RTX_4090, TENSORRT, machine, use_fakes

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import BuildOptions
from efficientscn_trt.engines.build import build_engines, describe_engines
from efficientscn_trt.errors import DeviceError, OutputError


def test_the_timing_cache_is_beside_the_bundle(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = use_fakes(monkeypatch)
    cache = bundle.path.with_name(f"bundle.tensorrt-{TENSORRT}.NVIDIA-H100.timing-cache")
    build_engines(bundle, "tensorrt", machine=machine(H100))
    assert cache.read_bytes() == b"++"  # the fake adds one for each network
    build_engines(bundle, "tensorrt", machine=machine(H100))
    given = [call[1] for call in fakes["tensorrt"].calls if call[0] == "timing cache"]
    assert given == [b"", b"+", b"++", b"+++"]


def test_the_timings_of_a_network_outlive_the_failure_of_the_next(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes = use_fakes(monkeypatch)

    def fail_at_second(network: str) -> None:
        if network == "segmentation":
            fakes["tensorrt"].failure = "out of memory"

    with pytest.raises(DeviceError, match="out of memory"):
        build_engines(bundle, "tensorrt", machine=machine(H100), progress=fail_at_second)  # type: ignore[arg-type]
    (cache,) = bundle.path.parent.glob("*.timing-cache")
    assert cache.read_bytes() == b"+"


def test_timings_in_a_file_of_the_users(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made by the first build, and has every timing for the next, which adds nothing."""
    fakes = use_fakes(monkeypatch)
    timings = tmp_path / "timings"
    build_engines(bundle, "tensorrt", BuildOptions(timing_cache=timings), machine=machine(H100))
    assert timings.read_bytes() == b"++"
    complete = BuildOptions(timing_cache=timings, error_on_timing_cache_miss=True)
    build_engines(bundle, "tensorrt", complete, machine=machine(H100))
    assert timings.read_bytes() == b"++"
    assert ("set_flag", "ERROR_ON_TIMING_CACHE_MISS") in fakes["tensorrt"].calls
    assert not list(bundle.path.parent.glob("*.timing-cache"))


def test_timings_beside_the_bundle_can_be_demanded(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fakes(monkeypatch)
    demanded = BuildOptions(error_on_timing_cache_miss=True)
    with pytest.raises(DeviceError, match=r"There is no timing cache .*H100\.timing-cache, so every timing"):
        build_engines(bundle, "tensorrt", demanded, machine=machine(H100))
    build_engines(bundle, "tensorrt", machine=machine(H100))
    build_engines(bundle, "tensorrt", demanded, machine=machine(H100))


@pytest.mark.parametrize("content", [b"!of another GPU", b"?damaged"])
def test_a_file_that_is_no_timing_cache_stays_as_it_is(
    content: bytes, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fakes(monkeypatch)
    timings = tmp_path / "timings"
    timings.write_bytes(content)
    options = BuildOptions(timing_cache=timings)
    sentence = (
        rf"^{re.escape(str(timings))} is damaged, or no timing cache of TensorRT {re.escape(TENSORRT)} for "
        "NVIDIA H100; give another file, one that does not exist yet"
    )
    for make in (build_engines, describe_engines):
        with pytest.raises(DeviceError, match=sentence):
            make(bundle, "tensorrt", options, machine=machine(H100))
    assert timings.read_bytes() == content
    assert bundles.load(bundle.path).manifest.engines == ()


def test_a_place_for_timings_where_nothing_can_be_written(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fakes(monkeypatch)
    for place, sentence in (
        (tmp_path, "expected the name of a file"),
        (tmp_path / "no folder" / "timings", "there is no folder"),
    ):
        with pytest.raises(OutputError, match=sentence):
            options = BuildOptions(timing_cache=place)
            build_engines(bundle, "tensorrt", options, machine=machine(H100))
    complete = BuildOptions(timing_cache=tmp_path, error_on_timing_cache_miss=True)
    with pytest.raises(DeviceError, match=r"the timing cache, cannot be read: .*; give another one\."):
        build_engines(bundle, "tensorrt", complete, machine=machine(H100))


def test_rtx_times_nothing(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fakes(monkeypatch)
    build_engines(bundle, "tensorrt-rtx", machine=machine(RTX_4090))
    assert not list(bundle.path.parent.glob("*.timing-cache"))
