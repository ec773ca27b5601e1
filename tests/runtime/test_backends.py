"""Devices and precisions: those available are used, and others are refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.processor import DEFAULT_PRECISION, HAS_BF16
from support.scans import SPACING_XYZ, block_array, block_image, block_labels

from efficientscn_trt import BundleError, DeviceError, Segmenter
from efficientscn_trt.backends import load
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.user_cache import cache_folder


def test_auto_takes_the_cpu_and_its_fastest_precision(tiny_bundle: Bundle) -> None:
    backend = load(tiny_bundle)
    assert (backend.device, backend.precision) == ("cpu", DEFAULT_PRECISION)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "tpu"])
def test_device_that_is_not_there(device: str, tiny_bundle: Bundle) -> None:
    with pytest.raises(
        DeviceError, match=rf"no backend for the device '{device}', expected one of auto, cuda, cpu"
    ):
        Segmenter(tiny_bundle, device=device)


def test_precision_that_is_not_known(tiny_bundle: Bundle) -> None:
    with pytest.raises(DeviceError, match="'fp8' is not known, expected one of auto, fp32, fp16, bf16"):
        Segmenter(tiny_bundle, precision="fp8")


@pytest.mark.parametrize("precision", [None, 5, ["fp32"], np.array(["fp32", "fp16"])])
def test_precision_that_is_no_text(tiny_bundle: Bundle, precision: Any) -> None:
    with pytest.raises(DeviceError, match=r"The precision .* is not known, expected one of auto"):
        Segmenter(tiny_bundle, precision=precision)


@pytest.mark.parametrize(
    "device", [None, 5, b"cpu", ["cpu"], "cuda:" + "9" * 5000, "cuda:\N{FULLWIDTH DIGIT ONE}"]
)
def test_device_that_is_none(tiny_bundle: Bundle, device: Any) -> None:
    with pytest.raises(DeviceError, match=r"no backend for the device .{,60}, expected one of auto, cuda"):
        Segmenter(tiny_bundle, device=device)


@pytest.mark.parametrize("threads", [-1, 1.5, 1.0, "2", None, 1025, 2**31, 2**70, float("nan"), [1]])
def test_number_of_threads_that_is_none(tiny_bundle: Bundle, threads: Any) -> None:
    with pytest.raises(ValueError, match=r"number of threads is .*, expected a whole number from 1 to 1024"):
        Segmenter(tiny_bundle, threads=threads)


@pytest.mark.parametrize("threads", [True, np.int64(1), np.uint8(2)])
def test_numbers_of_threads_of_other_types(tiny_bundle: Bundle, threads: Any) -> None:
    result = Segmenter(tiny_bundle, "cpu", threads=threads).segment(block_array(), spacing=SPACING_XYZ)
    np.testing.assert_array_equal(result.array, block_labels())


@pytest.mark.skipif(HAS_BF16, reason="this processor has bfloat16 instructions")
def test_bfloat16_where_it_is_not_there(tiny_bundle: Bundle) -> None:
    with pytest.raises(DeviceError, match="no bfloat16 instructions; use the precision fp32 or auto"):
        Segmenter(tiny_bundle, precision="bf16")


def test_results_are_owned_by_the_caller(tiny_bundle: Bundle) -> None:
    backend = load(tiny_bundle)
    image = np.random.default_rng(0).uniform(-0.5, 0.3, (32, 32, 48)).astype(np.float32)
    mask, probabilities = backend.localize(image), backend.segment(image)
    kept = mask.copy(), probabilities.copy()
    backend.localize(-image)
    backend.segment(-image)
    np.testing.assert_array_equal(mask, kept[0])
    np.testing.assert_array_equal(probabilities, kept[1])
    assert (mask.shape, mask.dtype) == ((32, 32, 48), np.bool_)
    assert (probabilities.shape, probabilities.dtype) == ((5, 32, 32, 48), np.float32)


def test_compiled_networks_are_cached_by_content(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    image = np.zeros((32, 32, 32), np.float32)
    load(tiny_bundle).segment(image)
    networks = tiny_bundle.manifest.networks
    expected = {networks.localization.sha256[:16], networks.segmentation.sha256[:16]}
    assert {folder.name for folder in (tmp_path / "cache").iterdir()} == expected
    for blob in (tmp_path / "cache").rglob("*.blob"):
        blob.write_bytes(blob.read_bytes()[:100])  # as an interrupted run might leave it
    assert not load(tiny_bundle).localize(image).any()
    load(tiny_bundle).segment(image)


def test_unwritable_cache_is_done_without(tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", "/proc/cache")
    assert cache_folder() is None
    assert not load(tiny_bundle).localize(np.zeros((32, 32, 32), np.float32)).any()


def test_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("EFFICIENTSCN_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert cache_folder() is None or sys.platform == "win32"


def test_network_that_cannot_be_compiled(tmp_path: Path) -> None:
    from support.tiny_bundle import write_tiny_bundle

    from efficientscn_trt.bundle import NetworkSource, Tensor

    image = Tensor("image", "float32", (1, 1, "z", "y", "x"))
    broken = NetworkSource(b"no ONNX", 18, 0, image, Tensor("mask", "bool", (1, "z", "y", "x")))
    bundle = write_tiny_bundle(tmp_path / "bundle", localization=broken)
    with pytest.raises(BundleError, match=r"OpenVINO cannot compile .*localization\.onnx"):
        Segmenter(bundle)


def test_memory_that_was_freed_is_allocated_again(tiny_bundle: Bundle) -> None:
    segmenter = Segmenter(tiny_bundle)
    segmenter.trim()  # holds nothing yet
    first = segmenter.segment(block_image())
    segmenter.trim()
    np.testing.assert_array_equal(segmenter.segment(block_image()).array, first.array)
