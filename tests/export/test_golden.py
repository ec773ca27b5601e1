"""The released localization network and the SCN of the golden weights, exported: their numbers and size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from efficientscn_trt.backends.cpu import CpuBackend, core_runtime
from efficientscn_trt.bundle import Bundle

PROBABILITIES = 1e-5
"""Limit of the difference; rounding of float32 causes 3e-6."""


@pytest.fixture(scope="module")
def localization(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "golden" / "example_ct.npz") as arrays:
        return {name: arrays[f"localization_{name}"] for name in ("input", "mask")}


@pytest.fixture(scope="module")
def segmentation(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "golden" / "scn_small.npz") as arrays:
        return {name: arrays[name] for name in ("input", "probabilities")}


def onnx_runtime(bundle: Bundle, network: str, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(bundle.file(network), providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {"image": image[None, None]})
    return output[0]


def test_mask_by_onnx_runtime(golden_bundle: Bundle, localization: dict[str, np.ndarray]) -> None:
    mask = onnx_runtime(golden_bundle, "localization", localization["input"])
    np.testing.assert_array_equal(mask, localization["mask"])
    assert np.count_nonzero(mask) == 8463


def test_probabilities_by_onnx_runtime(golden_bundle: Bundle, segmentation: dict[str, np.ndarray]) -> None:
    found = onnx_runtime(golden_bundle, "segmentation", segmentation["input"])
    np.testing.assert_allclose(found, segmentation["probabilities"], rtol=0, atol=PROBABILITIES)


def test_both_by_the_core(
    golden_bundle: Bundle, localization: dict[str, np.ndarray], segmentation: dict[str, np.ndarray]
) -> None:
    backend = CpuBackend(golden_bundle, "fp32", 0)
    assert backend.runtime == core_runtime()
    np.testing.assert_array_equal(backend.localize(localization["input"]), localization["mask"])
    found = backend.segment(segmentation["input"])
    np.testing.assert_allclose(found, segmentation["probabilities"], rtol=0, atol=PROBABILITIES)


def test_every_pattern_was_found(golden_bundle: Bundle) -> None:
    networks, provenance = golden_bundle.manifest.networks, golden_bundle.manifest.provenance
    assert networks.localization.parameters == 637_474
    assert networks.segmentation.parameters == 1_270_090
    assert provenance["localization"]["nodes"] <= 60
    assert provenance["segmentation"]["nodes"] <= 305
    for network in ("localization", "segmentation"):
        assert provenance[network]["unrecognised"] == []
        assert 0 < provenance[network]["core_difference"] < (1e-4 if network == "localization" else 1e-5)
        assert provenance[network]["agreement"] > 0.997
