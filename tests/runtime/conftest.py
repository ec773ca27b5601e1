"""Fixtures of the runtime's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from efficientscn_trt import Segmenter


@pytest.fixture(scope="session", autouse=True)
def _own_cache(own_cache: None) -> None:
    """All tests here have it."""


@pytest.fixture(scope="session")
def released_segmenter(shared: Path, pytestconfig: pytest.Config) -> Segmenter:
    """The released localization model and the golden SCN weights, in float32."""
    from support.released_bundle import released_bundle

    bundle = released_bundle(shared, pytestconfig.cache.mkdir("released-bundle"))
    return Segmenter(bundle, precision="fp32")
