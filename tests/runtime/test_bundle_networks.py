"""Networks and parameters that do not fit a bundle are a BundleError, however well their hashes fit."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from support.other_networks import five, network
from support.scans import SPACING_XYZ, block_array
from support.tiny_bundle import write_tiny_bundle

from efficientscn_trt import BundleError, Segmenter
from efficientscn_trt import bundle as bundles


@pytest.fixture(autouse=True)
def _no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO refuses these networks without harm, so that the trial would only take time."""
    monkeypatch.setattr(sys, "executable", "")


def _segment(bundle: bundles.Bundle) -> None:
    Segmenter(bundle, "cpu", "fp32").segment(block_array(), spacing=SPACING_XYZ)


# By name: the segmentation network, and the sentence.
_OTHERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "4 labels": (
        lambda: network(helper.make_node("Concat", ["image"] * 4, ["output"], axis=1)),
        r"has the output f32 \[1,4,\?,\?,\?\], expected f32 \[1,5,z,y,x\], as the segmentation network",
    ),
    "fixed size": (
        lambda: network(five(), shape=(1, 1, 32, 32, 32)),
        r"has the input f32 \[1,1,32,32,32\], expected one that takes f32 \[1, 1, 160, 128, 160\]",
    ),
    "other rank": (lambda: network(five(), shape=(1, "z", "y", "x")), r"has the input f32 \[1,\?,\?,\?\]"),
    "two channels": (lambda: network(five(), shape=(1, 2, "z", "y", "x")), r"has the input f32 \[1,2,"),
    "other type": (
        lambda: network(five(), element=TensorProto.INT32, result=TensorProto.INT32),
        r"has the input i32",
    ),
    "float64": (
        lambda: network(
            five("five"),
            helper.make_node("Cast", ["five"], ["output"], to=TensorProto.DOUBLE),
            result=TensorProto.DOUBLE,
        ),
        "has the output f64",
    ),
    "two outputs": (
        lambda: network(five(), helper.make_node("Relu", ["image"], ["other"]), outputs=["output", "other"]),
        "has 1 inputs and 2 outputs, expected one of each",
    ),
    "two inputs": (
        lambda: network(
            helper.make_node("Concat", ["image", *["other"] * 4], ["output"], axis=1),
            inputs=["image", "other"],
        ),
        "has 2 inputs and 1 outputs, expected one of each",
    ),
    "half the size": (
        lambda: network(
            five("five"),
            helper.make_node("MaxPool", ["five"], ["output"], kernel_shape=[2] * 3, strides=[2] * 3),
        ),
        "OpenVINO cannot run .*segmentation.onnx: .*output tensor",
    ),
    "twice the size": (
        lambda: network(five("five"), helper.make_node("Concat", ["five", "five"], ["output"], axis=2)),
        "OpenVINO cannot run .*segmentation.onnx: .*output tensor",
    ),
    "one size inside": (
        lambda: network(
            helper.make_node("Reshape", ["image", "size"], ["output"]),
            size=np.array([1, 5, 7, 7, 7], np.int64),
        ),
        "OpenVINO cannot compile .*segmentation.onnx: .*shape",
    ),
    "unknown operation": (
        lambda: network(helper.make_node("Magic", ["image"], ["output"], domain="x.y")),
        "OpenVINO cannot compile .*segmentation.onnx: .*Magic",
    ),
    "name that is no UTF-8": (
        lambda: network(helper.make_node("Relu", ["other"], ["output"])).replace(b"other", b"\xff\x1bher"),
        "OpenVINO cannot compile .*segmentation.onnx: ",
    ),
    "no network": (lambda: b"none", "OpenVINO cannot compile .*segmentation.onnx: "),
}


@pytest.mark.parametrize("name", _OTHERS)
def test_another_segmentation_network(name: str, tiny_bundle: bundles.Bundle, tmp_path: Path) -> None:
    make, sentence = _OTHERS[name]
    right = tiny_bundle.manifest.networks.segmentation
    source = bundles.NetworkSource(make(), 18, 0, right.input, right.output)
    with pytest.raises(BundleError, match=sentence) as caught:
        _segment(write_tiny_bundle(tmp_path / "bundle", segmentation=source))
    assert str(caught.value).isprintable()


def test_other_readers_are_not_tried(
    tiny_bundle: bundles.Bundle, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    right = tiny_bundle.manifest.networks.segmentation
    source = bundles.NetworkSource(network(five())[:-9], 18, 0, right.input, right.output)
    with pytest.raises(BundleError):
        _segment(write_tiny_bundle(tmp_path / "bundle", segmentation=source))
    assert capfd.readouterr().err == ""


def test_swapped_networks(tiny_bundle: bundles.Bundle, tmp_path: Path) -> None:
    networks = tiny_bundle.manifest.networks
    localization, segmentation = (
        bundles.NetworkSource(tiny_bundle.file(other), 18, 0, right.input, right.output)
        for other, right in (
            ("segmentation", networks.localization),
            ("localization", networks.segmentation),
        )
    )
    swapped = write_tiny_bundle(tmp_path / "bundle", localization=localization, segmentation=segmentation)
    with pytest.raises(BundleError, match=r"has the output f32 .*, expected boolean .* localization network"):
        _segment(swapped)


@pytest.mark.parametrize("stage", ["localization", "segmentation"])
@pytest.mark.parametrize(
    "changes",
    [
        {"spacing_mm": 1e300},
        {"spacing_mm": 1e-300},
        {"spacing_slack": 1e38},
        {"smoothing_sigma_mm": 1e9},
        {"intensity_scale": 1e-300},
        {"intensity_max": 1e300},
        {"valid_sizes": ((10**9,),) * 3},
        {"valid_sizes": ((2048,),) * 3},
        {"valid_sizes": ((), (), ())},
        {"valid_sizes": ((32, 16),) * 3},
    ],
    ids=str,
)
def test_extreme_parameters(stage: str, changes: dict[str, Any], tmp_path: Path) -> None:
    released = bundles.PipelineParameters()
    parameters = dataclasses.replace(getattr(released, stage), **changes)
    pipeline = dataclasses.replace(released, **{stage: parameters})
    [name] = changes
    with pytest.raises(BundleError, match=rf"manifest\.json: .*{name}"):
        _segment(write_tiny_bundle(tmp_path / "bundle", pipeline=pipeline))


def test_parameters_that_do_not_suit_a_scan(tmp_path: Path) -> None:
    released = bundles.PipelineParameters()
    coarse = dataclasses.replace(
        released.localization, spacing_mm=1000.0, spacing_slack=10.0, valid_sizes=((4096,), (64,), (64,))
    )
    bundle = write_tiny_bundle(tmp_path, pipeline=dataclasses.replace(released, localization=coarse))
    air = np.full(block_array().shape, -1000, np.int16)
    with pytest.raises(BundleError, match="The bundle cannot segment this scan: A box must end after"):
        Segmenter(bundle, "cpu", "fp32").segment(air, spacing=SPACING_XYZ)
