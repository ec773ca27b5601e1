"""Fixtures of the export's tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.model_folders import ModelFolders

if TYPE_CHECKING:
    from efficientscn_trt.bundle import Bundle


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> ModelFolders:
    """A localization and a segmentation network as the released code writes them, but tiny."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("tf2onnx")
    from support.tiny_models import TinyLocalization, TinyScn, save

    folder = tmp_path_factory.mktemp("tiny-models")
    return ModelFolders(
        save(folder / "localization", TinyLocalization()), save(folder / "segmentation", TinyScn())
    )


@pytest.fixture(scope="session")
def golden_bundle(shared: Path, pytestconfig: pytest.Config) -> Bundle:
    """The released localization network and the SCN of the golden weights, exported once for all tests."""
    from support.released_bundle import released_bundle

    return released_bundle(shared, pytestconfig.cache.mkdir("released-bundle"))
