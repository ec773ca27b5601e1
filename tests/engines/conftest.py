"""Fixtures of the tests of engines and of the graphs that they are built from."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx_ir as ir
import pytest
from support.tiny_bundle import write_tiny_bundle

from efficientscn_trt import bundle as bundles
from efficientscn_trt.export.precision import for_tensorrt


def write_with_float16(path: Path) -> bundles.Bundle:
    """The bundle of HU thresholds with the float16 forms that an export writes."""
    plain = write_tiny_bundle(path)
    sources = {}
    for key in bundles.NETWORKS:
        network = getattr(plain.manifest.networks, key)
        content = plain.file(key).read_bytes()
        half, _ = for_tensorrt(ir.load(plain.file(key)))
        sources[key] = bundles.NetworkSource(
            content=content,
            opset=network.opset,
            parameters=network.parameters,
            input=network.input,
            output=network.output,
            float16=ir.to_proto(half).SerializeToString(),
        )
    return write_tiny_bundle(path, **sources)


@pytest.fixture(scope="session")
def thresholds(tmp_path_factory: pytest.TempPathFactory) -> bundles.Bundle:
    """A bundle that no test may change."""
    return write_with_float16(tmp_path_factory.mktemp("bundles") / "thresholds")


@pytest.fixture
def bundle(thresholds: bundles.Bundle, tmp_path: Path) -> bundles.Bundle:
    """A copy of `thresholds` for one test."""
    return bundles.load(shutil.copytree(thresholds.path, tmp_path / "bundle"))
