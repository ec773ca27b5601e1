"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.model_folders import ModelFolders

from efficientscn_trt.bundle import Bundle

if TYPE_CHECKING:
    from efficientscn_trt import Segmenter

# PyTorch for CUDA imports Triton, which crashes if TensorFlow is already loaded: the linker gives it
# TensorFlow's LLVM (tensorflow/tensorflow#124205). TensorFlow may load after Triton.
with contextlib.suppress(ImportError):
    importlib.import_module("triton")

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # tests/gpu also runs where hypothesis is missing
    pass
else:
    # No test measures time: a busy machine must not fail one.
    settings.register_profile("repository", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("repository")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _no_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave the user's settings out: whose bundles they trust decides what is refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
        patch.delenv("EFFICIENTSCN_TRUSTED_KEYS", raising=False)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of golden data and real images, which are not part of the repository.

    The environment variable ESCN_SHARED names it; by default it is next to the repository.
    """
    folder = Path(os.environ.get("ESCN_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "golden").is_dir():
        pytest.skip(f"no golden data in {folder}; set ESCN_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of HU thresholds, to be read only."""
    for module in ("onnx", "openvino"):
        pytest.importorskip(module)
    from support.tiny_bundle import write_tiny_bundle

    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "thresholds")


@pytest.fixture(scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the compiled networks of tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFICIENTSCN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def segmenter(tiny_bundle: Bundle, own_cache: None) -> Segmenter:
    """One segmenter of HU thresholds for all tests: it keeps no state."""
    from efficientscn_trt import Segmenter

    return Segmenter(tiny_bundle)


@pytest.fixture
def scan_file(tmp_path: Path) -> Path:
    """A small CT that works, as NIfTI."""
    import SimpleITK as sitk
    from support.scans import block_image

    path = tmp_path / "ct.nii.gz"
    sitk.WriteImage(block_image(), str(path))
    return path


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
def tiny_export(tiny_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle of `tiny_models`, to be read only."""
    from efficientscn_trt.export import export_bundle

    folder = tmp_path_factory.mktemp("exported") / "my-bundle"
    return export_bundle(tiny_models.localization, tiny_models.segmentation, folder).bundle
