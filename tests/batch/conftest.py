"""Fixtures of the tests of many scans."""

from __future__ import annotations

from pathlib import Path

import pytest
import SimpleITK as sitk
from support.scans import block_image


@pytest.fixture(scope="session", autouse=True)
def _own_cache(own_cache: None) -> None:
    """All tests here have it."""


@pytest.fixture
def scan_file(tmp_path: Path) -> Path:
    """A small CT that works."""
    path = tmp_path / "ct.nii.gz"
    sitk.WriteImage(block_image(), str(path))
    return path


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """An empty folder for scans."""
    folder = tmp_path / "scans"
    folder.mkdir()
    return folder
