"""`info`: the bundle, the devices and the core."""

from __future__ import annotations

import json

from efficientscn_trt.backends import DEVICES
from efficientscn_trt.backends import survey as surveys
from efficientscn_trt.backends.survey import Availability, choose
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.segmenter import Segmenter

from .conftest import Run


def test_tables(run: Run, tiny_bundle: Bundle) -> None:
    done = run("info", tiny_bundle.path)
    assert done.returncode == 0, done.stderr
    for text in (
        "thresholds: HU thresholds, for tests",
        "0 background, 1 liver, 2 kidneys, 3 spleen, 4 pancreas",
        tiny_bundle.manifest.networks.segmentation.sha256[:12] + "… verified",
        "box margin, mm",
        "used by auto",
        "OpenVINO",
        "CUDA",
    ):
        assert text in done.stdout


def test_json(run: Run, tiny_bundle: Bundle) -> None:
    done = run("info", tiny_bundle.path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["bundle"]["pipeline"]["localization"]["spacing_mm"] == 6
    assert document["bundle"]["networks"]["segmentation"]["output"]["shape"] == [1, 5, "z", "y", "x"]
    assert document["bundle"]["verified"] is True
    assert [device["device"] for device in document["devices"]] == list(DEVICES[1:])
    assert document["device"] == Segmenter(tiny_bundle).device
    assert document["core"]["threads"] >= 1
    assert document["core"]["cuda"] or document["core"]["cuda_reason"]


def test_the_survey_knows_every_backend() -> None:
    assert [device.device for device in surveys.survey()] == list(DEVICES[1:])


def test_auto_takes_the_first_that_works() -> None:
    broken = Availability("gpu", "", "TensorRT", (), "There is no GPU here.")
    works = Availability("cpu", "", "OpenVINO", ("fp32",))
    assert choose([broken, works, works]) == "cpu"
    assert choose([broken]) is None
