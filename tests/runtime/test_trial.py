"""OpenVINO dies of some networks. That is a BundleError, found out once per network in another process."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.other_networks import DEADLY, ENDLESS, five, network, write_bundle_with
from support.scans import SPACING_XYZ, block_array, block_labels
from support.tiny_bundle import write_tiny_bundle

from efficientscn_trt import BundleError, Segmenter
from efficientscn_trt.backends import trial
from efficientscn_trt.backends.openvino_start import ov
from efficientscn_trt.bundle import Bundle, load
from efficientscn_trt.bundle.shipped import DEMO_BUNDLE


def _segmenter(bundle: Bundle) -> Segmenter:
    return Segmenter(bundle, "cpu", "fp32")


def _works(bundle: Bundle) -> None:
    labels = _segmenter(bundle).segment(block_array(), spacing=SPACING_XYZ).array
    np.testing.assert_array_equal(labels, block_labels())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(folder))
    return folder


@pytest.fixture
def trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many processes were started so far."""
    log, python = tmp_path / "started", tmp_path / "python"
    log.touch()
    python.write_text(f'#!/bin/sh\necho >> "{log}"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    return lambda: len(log.read_text())


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("Pad without pads", "segmentation"),
        ("pooling of nothing", "segmentation"),
        ("sum of nothing", "localization"),
    ],
)
def test_openvino_dies_elsewhere(
    name: str, stage: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle = write_bundle_with(tmp_path / "bundle", **{stage: DEADLY[name]})
    with pytest.raises(BundleError) as caught:
        _segmenter(bundle)
    assert str(caught.value) == (
        f"OpenVINO dies of {bundle.file(stage)} (SIGSEGV), expected a network that it can run; export the "
        "bundle again."
    )
    assert capfd.readouterr() == ("", "")


def test_openvino_does_not_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 1)
    bundle = write_bundle_with(tmp_path / "bundle", segmentation=ENDLESS)
    sentence = r"^OpenVINO does not finish with .*segmentation\.onnx in 1 s, expected a network that it can"
    with pytest.raises(BundleError, match=sentence):
        _segmenter(bundle)


def test_both_networks_are_tried(tmp_path: Path) -> None:
    """The first one is refused without harm."""
    networks = {"localization": network(five()), "segmentation": DEADLY["sum of nothing"]}
    with pytest.raises(BundleError, match=r"OpenVINO dies of .*segmentation\.onnx"):
        _segmenter(write_bundle_with(tmp_path / "bundle", **networks))


def test_what_worked_is_not_tried_again(
    cache: Path, trials: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)  # from which nothing may be imported
    _works(write_tiny_bundle(tmp_path / "one"))
    _works(write_tiny_bundle(tmp_path / "two", name="another"))
    assert trials() == 1
    markers = list(cache.rglob("*.tried"))
    assert len(markers) == 2
    for marker in markers:
        marker.write_bytes(marker.read_bytes()[:-1])
    _works(load(tmp_path / "one"))
    assert trials() == 2
    monkeypatch.setattr(ov, "__version__", "2026.5")
    _works(load(tmp_path / "one"))
    assert trials() == 3
    _works(load(tmp_path / "two"))
    assert trials() == 3


def test_without_a_cache_each_load_is_a_trial(
    trials: Callable[[], int], tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _works(tiny_bundle)
    before = trials()
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "started" / "cache"))  # in a file
    _works(tiny_bundle)
    assert trials() == before + 1


def test_the_networks_of_the_demo_bundle_are_not_tried(trials: Callable[[], int], tmp_path: Path) -> None:
    demo = load(DEMO_BUNDLE)
    _segmenter(demo)
    networks = {name: demo.file(name).read_bytes() for name in ("localization", "segmentation")}
    _segmenter(write_bundle_with(tmp_path / "bundle", **networks))
    assert trials() == 0


@pytest.mark.parametrize("executable", ["", "/usr/bin/slicer", "/nowhere/python"])
def test_a_program_that_embeds_python_goes_on(
    executable: str,
    cache: Path,
    tiny_bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with caplog.at_level(logging.INFO, "efficientscn_trt"):
        _works(tiny_bundle)
    assert "The networks were not tried" in caplog.text
    assert not list(cache.rglob("*.tried"))
