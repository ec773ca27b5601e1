"""Fixtures of the runtime's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from efficientscn_trt import Segmenter
from efficientscn_trt.bundle import Bundle


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the compiled networks of tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFICIENTSCN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def segmenter(tiny_bundle: Bundle) -> Segmenter:
    """One segmenter of HU thresholds for all tests: it keeps no state."""
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
def released_segmenter(shared: Path, pytestconfig: pytest.Config) -> Segmenter:
    """The released localization model and the golden SCN weights, in float32."""
    from support.released_bundle import released_bundle

    bundle = released_bundle(shared, pytestconfig.cache.mkdir("released-bundle"))
    return Segmenter(bundle, precision="fp32")
