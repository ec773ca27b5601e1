"""The source distribution holds what the build needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def test_source_distribution_holds_the_core(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)
    (sources,) = tmp_path.glob("*.egg-info/SOURCES.txt")
    listed = set(sources.read_text().splitlines())
    core = {str(file.relative_to(REPOSITORY)) for file in REPOSITORY.glob("csrc/**/*.*")}
    data = (
        "py.typed",
        "page/page.html",
        "page/page.css",
        "report/fonts/DejaVuSans.ttf",
        "report/fonts/LICENSE_DEJAVU",
        "demo_bundle/manifest.json",
    )
    assert core <= listed
    assert {"CMakeLists.txt", "LICENSE", *(f"efficientscn_trt/{name}" for name in data)} <= listed
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in listed)
