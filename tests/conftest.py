"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of golden data and real images, which are not part of the repository.

    The environment variable ESCN_SHARED names it, else it lies beside the repository.
    """
    folder = Path(os.environ.get("ESCN_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "golden").is_dir():
        pytest.skip(f"no golden data in {folder}; set ESCN_SHARED to their folder")
    return folder
