"""Each script in examples/ runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from efficientscn_trt import bundle as bundles
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version
from efficientscn_trt.segmenter import STAGES

from .conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments], capture_output=True, text=True, encoding="utf-8"
    )


def test_export_and_build_makes_a_bundle_with_engines(workplace: Path) -> None:
    if installed_version(TENSORRT_RTX) is None:
        pytest.skip("TensorRT-RTX is not installed")
    models = ("saved_models/localization", "saved_models/segmentation")
    done = run("export_and_build.py", *models, "new-bundle", "8.9")
    assert done.returncode == 0, done.stderr
    engines = bundles.load("new-bundle").manifest.engines
    assert [engine.network for engine in engines] == list(bundles.NETWORKS)
    assert {engine.compute_capabilities for engine in engines} == {("8.9",)}
    assert all(engine.file in done.stdout for engine in engines)


def test_measure_stages_prints_each_stage(workplace: Path) -> None:
    done = run("measure_stages.py", "ct.nii.gz", "my-bundle")
    assert done.returncode == 0, done.stderr
    assert all(f"| {stage} |" in done.stdout for stage in STAGES)
    assert "Peak memory of this process: " in done.stdout


def test_each_example_has_a_test() -> None:
    tested = {"export_and_build.py", "measure_stages.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested
