"""Each script in examples/ runs."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk
from support.scans import SIZE_ZYX

from efficientscn_trt import bundle as bundles
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version
from efficientscn_trt.segmenter import STAGES

from .conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments], capture_output=True, text=True, encoding="utf-8"
    )


def test_segment_folder_goes_on(workplace: Path) -> None:
    command = ("segment_folder.py", "scans", "labels", "my-bundle")
    scans = workplace / "scans"
    (scans / "broken.nii.gz").write_bytes(b"no image")
    assert len(list(scans.iterdir())) == 3
    done = run(*command)
    assert done.returncode == 1
    assert done.stderr.startswith("scans/broken.nii.gz cannot be read as an image")

    (scans / "broken.nii.gz").unlink()
    (workplace / "dicom-folder").rename(scans / "series")
    first = workplace / "labels" / "first.nii.gz"
    written = first.stat().st_mtime_ns
    assert run(*command).returncode == 0
    assert first.stat().st_mtime_ns == written
    with open("labels/volumes.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["scan"] for row in rows] == ["first.nii.gz", "second.nii.gz", "series"]
    for row in rows:
        labels = sitk.ReadImage(f"labels/{row['scan'].removesuffix('.nii.gz')}.nii.gz")
        assert labels.GetSize() == SIZE_ZYX[::-1]
        voxels = (sitk.GetArrayFromImage(labels) == 1).sum()
        assert float(row["liver_ml"]) == pytest.approx(voxels * 4.0 * 3.5 * 5.0 / 1000, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("scans", "scans", "my-bundle"), "scans has the scans; give another folder"),
        (
            ("saved_models/localization/assets", "labels", "my-bundle"),
            "has neither .nii.gz files nor folders",
        ),
        (("scans", "labels"), "python segment_folder.py SCANS LABELS BUNDLE"),
    ],
)
def test_segment_folder_loses_no_scan(arguments: tuple[str, ...], sentence: str, workplace: Path) -> None:
    before = (workplace / "scans" / "first.nii.gz").read_bytes()
    done = run("segment_folder.py", *arguments)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert (workplace / "scans" / "first.nii.gz").read_bytes() == before


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
    tested = {"segment_folder.py", "export_and_build.py", "measure_stages.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested
