"""Fixtures of the tests of many scans."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(own_cache: None) -> None:
    """All tests here have it."""


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """An empty folder for scans."""
    folder = tmp_path / "scans"
    folder.mkdir()
    return folder
