"""Keys, and a bundle to sign."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.signing_keys import KeyFiles, key_files

from efficientscn_trt import bundle as bundles


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    """The key of whom we trust."""
    return key_files(tmp_path_factory.mktemp("release"), "release")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    """The key of somebody else."""
    return key_files(tmp_path_factory.mktemp("other"), "other")


@pytest.fixture
def folder(tiny_bundle: bundles.Bundle, tmp_path: Path) -> Path:
    """A bundle that nobody signed yet."""
    return Path(shutil.copytree(tiny_bundle.path, tmp_path / "bundle"))


@pytest.fixture
def signed(folder: Path, release: KeyFiles) -> Path:
    """A bundle with the signature of whom we trust."""
    bundles.sign(folder, bundles.SigningKey.from_file(release.private))
    return folder
