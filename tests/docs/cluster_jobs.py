"""Run and check the job files of clusters as far as one machine can."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from .conftest import REPOSITORY


def array_as_run(words: list[str]) -> str:
    """Each job of the array that `sbatch` would start, one after the other, with Slurm's variables."""
    script = REPOSITORY / words[-1]
    variables = next(word for word in words if word.startswith("--export=ALL,")).split(",")[1:]
    (first, last) = map(int, array_of(script))
    jobs = (
        shlex.join(["env", *variables, f"SLURM_ARRAY_TASK_ID={number}", "bash", str(script)])
        for number in range(first, last + 1)
    )
    return " && ".join(jobs)


def array_of(script: Path) -> tuple[str, str]:
    """The first and the last number of a script's array."""
    (array,) = re.findall(r"^#SBATCH --array=(\d+)-(\d+)$", script.read_text(), re.MULTILINE)
    first, last = array
    return first, last


def kubernetes_job(file: Path) -> dict[str, Any]:
    """The document of a job."""
    yaml = pytest.importorskip("yaml")
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    return document


def check_kubernetes_job(file: Path) -> None:
    """Fail unless Kubernetes' own schema takes the file."""
    validate = pytest.importorskip("kubernetes_validate")
    job = kubernetes_job(file)
    validate.validate(job, validate.latest_version(), strict=True)
