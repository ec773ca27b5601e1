"""`info`: the bundle, the devices and the core."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from efficientscn_trt.backends import DEVICES
from efficientscn_trt.backends import survey as surveys
from efficientscn_trt.backends.survey import Availability, choose
from efficientscn_trt.bundle import ActivationMemory, Bundle, Engine, Profile
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


def test_engines_and_why_they_do_not_run_here(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    path = write_tiny_bundle(tmp_path / "bundle").path
    size = (32, 32, 32)
    engine = Engine(
        network="segmentation",
        flavour="tensorrt-rtx",
        version="1.7",
        platform="plan9-vax",
        compute_capabilities=("8.9",),
        precision="fp16",
        profiles=(Profile(size, size, size),),
        onnx_sha256="0" * 64,
        file="segmentation.engine",
        sha256="0" * 64,
        bytes=1,
        activation_memory=ActivationMemory(699_000_000, 400_000_000),
    )
    manifest = json.loads((path / "manifest.json").read_text())
    document = manifest | {"engines": [dataclasses.asdict(engine)]}
    (path / "manifest.json").write_text(json.dumps(document))

    done = run("info", path, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["engines"]
    assert (row["file"], row["used"]) == ("segmentation.engine", False)
    assert "was built on plan9-vax, but this is" in row["problem"]
    table = run("info", path).stdout
    for text in ("tensorrt-rtx 1.7", "699.00 MB", "no, see below", row["problem"]):
        assert text in table
