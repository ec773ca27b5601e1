"""Float16 forms and engines in the manifest: they are written, read, and may be absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.engines import with_engines

from efficientscn_trt import bundle as bundles
from efficientscn_trt.errors import BundleError


def edited(bundle: bundles.Bundle, change: Any) -> Path:
    file = bundle.path / "manifest.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    return bundle.path


def test_a_manifest_of_before_engines_is_read(bundle: bundles.Bundle) -> None:
    def strip(document: dict[str, Any]) -> None:
        del document["engines"], document["networks"]["localization"]["float16"]

    manifest = bundles.load(edited(bundle, strip)).manifest
    assert manifest.engines == ()
    assert manifest.networks.localization.float16 is None


def test_without_a_float16_form_the_sentence_says_what_to_do(bundle: bundles.Bundle) -> None:
    def strip(document: dict[str, Any]) -> None:
        document["networks"]["segmentation"]["float16"] = None
        del document["files"]["segmentation.float16.onnx"]

    loaded = bundles.load(edited(bundle, strip))
    assert loaded.file("segmentation").name == "segmentation.onnx"
    with pytest.raises(BundleError, match=r"no float16 form of the segmentation network; export the bundle"):
        loaded.file("segmentation", "fp16")


def test_a_mistyped_flag_is_named(bundle: bundles.Bundle) -> None:
    with_engines(bundle)

    def spoil(document: dict[str, Any]) -> None:
        document["engines"][0]["version_compatible"] = 1

    with pytest.raises(BundleError, match=r"version_compatible is 1, expected true or false"):
        bundles.load(edited(bundle, spoil))


def test_an_altered_float16_form_is_refused(bundle: bundles.Bundle) -> None:
    (bundle.path / "localization.float16.onnx").write_bytes(b"other")
    with pytest.raises(BundleError, match=r"localization\.float16\.onnx was altered: its SHA-256 is"):
        bundles.load(bundle.path)


def test_an_engine_outside_the_bundle_is_refused(bundle: bundles.Bundle) -> None:
    engine = {
        "network": "localization",
        "flavour": "tensorrt",
        "version": "8.5.3.1",
        "platform": "linux-x86_64",
        "compute_capabilities": ["9.0"],
        "precision": "fp16",
        "profiles": [{"min": [32, 32, 32], "opt": [64, 80, 80], "max": [256, 80, 80]}],
        "onnx_sha256": "0" * 64,
        "file": "../localization.engine",
        "sha256": "0" * 64,
        "bytes": 1,
        "activation_memory": {"largest": 2, "typical": 1},
    }
    with pytest.raises(BundleError, match="which is outside the bundle"):
        bundles.load(edited(bundle, lambda document: document["engines"].append(engine)))


def test_a_mistyped_float16_form_is_named(bundle: bundles.Bundle) -> None:
    def spoil(document: dict[str, Any]) -> None:
        document["networks"]["localization"]["float16"]["bytes"] = "many"

    with pytest.raises(
        BundleError, match=r"networks\.localization\.float16\.bytes is 'many', expected a whole"
    ):
        bundles.load(edited(bundle, spoil))
