"""Each script in examples/ runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from efficientscn_trt import bundle as bundles
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version
from efficientscn_trt.segmenter import STAGES

from .cluster_jobs import array_as_run, array_of, check_kubernetes_job, kubernetes_job
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


def test_the_pods_of_a_kubernetes_job_do_all_scans_once(workplace: Path) -> None:
    file = EXAMPLES / "cluster" / "kubernetes_job.yaml"
    check_kubernetes_job(file)
    spec = kubernetes_job(file)["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    count = spec["completions"]
    for index in range(count):
        variables = {"JOB_COMPLETION_INDEX": str(index), "CPUS": "2"}
        subprocess.run(container["command"], env=os.environ | variables, check=True)
    assert len(list(Path("labels").glob(f"results.*-of-{count}.csv"))) == count
    rows = [row for path in Path("labels").glob("results.*.csv") for row in path.read_text().splitlines()[1:]]
    assert sorted(row.partition(",")[0] for row in rows) == ["first", "second"]


def test_the_jobs_of_a_slurm_array_do_all_scans_once(workplace: Path) -> None:
    script = EXAMPLES / "cluster" / "slurm_array.sh"
    first, last = array_of(script)
    assert (first, f"parts={last} ") == ("1", next(re.finditer("parts=[0-9]+ ", script.read_text()))[0])
    command = array_as_run(["sbatch", "--export=ALL,SCANS=scans.csv,LABELS=labels", str(script)])
    subprocess.run(["bash", "-c", command], check=True)
    rows = [row for path in Path("labels").glob("results.*.csv") for row in path.read_text().splitlines()[1:]]
    assert sorted(row.partition(",")[0] for row in rows) == ["first", "second"]


def test_each_example_has_a_test() -> None:
    tested = {"export_and_build.py", "measure_stages.py", "kubernetes_job.yaml", "slurm_array.sh"}
    assert {path.name for path in EXAMPLES.rglob("*.*") if "__pycache__" not in path.parts} == tested
