"""A bundle of an older version runs in the core too: its networks are searched for their forms."""

from __future__ import annotations

import dataclasses
import logging
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from support.other_networks import DEADLY, write_bundle_with

from efficientscn_trt import BundleError, Segmenter
from efficientscn_trt.backends import older_bundles
from efficientscn_trt.backends.core_networks import Localization, Scn
from efficientscn_trt.backends.cpu import CpuBackend
from efficientscn_trt.backends.openvino_network import OpenVinoNetwork
from efficientscn_trt.bundle import NETWORKS, Bundle, load
from efficientscn_trt.bundle.manifest import FIRST_WITH_CORE_FORMS
from efficientscn_trt.segmenter import DEMO_BUNDLE


def _older(bundle: Bundle, folder: Path) -> Bundle:
    """A copy of `bundle` as versions before the forms wrote it."""
    manifest, networks = bundle.manifest, bundle.manifest.networks
    without = {name: dataclasses.replace(getattr(networks, name), core=None) for name in NETWORKS}
    older = dataclasses.replace(
        manifest,
        schema_version=FIRST_WITH_CORE_FORMS - 1,
        networks=dataclasses.replace(networks, **without),
    )
    shutil.copytree(bundle.path, folder)
    text = older.to_json().replace(',\n      "core": null', "")
    assert '"core"' not in text
    (folder / "manifest.json").write_text(text)
    return load(folder)


def test_its_networks_are_searched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    demo = load(DEMO_BUNDLE)
    backend = CpuBackend(_older(demo, tmp_path / "older"), "fp32", 1)
    assert isinstance(backend._localization, Localization)
    assert isinstance(backend._segmentation.result(), Scn)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(
        f"{tmp_path / 'older'} was made by an older version. It was searched"
    )
    image = np.random.default_rng(0).uniform(-0.5, 0.3, (32, 32, 64)).astype(np.float32)
    now = CpuBackend(demo, "fp32", 1)
    np.testing.assert_array_equal(backend.localize(image), now.localize(image))
    np.testing.assert_array_equal(backend.segment(image), now.segment(image))


def test_the_manifest_says_what_the_search_finds(tmp_path: Path) -> None:
    demo = load(DEMO_BUNDLE)
    assert older_bundles.core_forms(_older(demo, tmp_path / "older")) == older_bundles.core_forms(demo)


def test_a_network_that_is_exchanged_after_the_load_is_not_used(tmp_path: Path) -> None:
    import onnx

    older = _older(load(DEMO_BUNDLE), tmp_path / "older")
    file = older.file("localization")
    other = onnx.load(file)
    other.producer_name = "somebody else"
    onnx.save(other, file)
    with pytest.raises(BundleError, match=r"localization\.onnx was altered since the bundle was loaded"):
        CpuBackend(older, "fp32", 1)


def test_networks_of_another_form(tmp_path: Path, tiny_bundle: Bundle) -> None:
    backend = CpuBackend(_older(tiny_bundle, tmp_path / "older"), "fp32", 1)
    assert isinstance(backend._localization, OpenVinoNetwork)
    assert isinstance(backend._segmentation.result(), OpenVinoNetwork)


def test_openvino_dies_of_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    deadly = write_bundle_with(tmp_path / "deadly", segmentation=DEADLY["sum of nothing"])
    with pytest.raises(BundleError, match=r"OpenVINO dies of .*segmentation\.onnx"):
        Segmenter(_older(deadly, tmp_path / "older"), "cpu", "fp32")
    assert "were not searched" in caplog.text


def test_a_program_that_embeds_python_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/slicer")
    backend = CpuBackend(_older(load(DEMO_BUNDLE), tmp_path / "older"), "fp32", 1)
    assert isinstance(backend._segmentation.result(), OpenVinoNetwork)
    assert "were not searched: /usr/bin/slicer is no Python" in caplog.text
