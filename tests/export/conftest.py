"""Fixtures of the export's tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from efficientscn_trt.bundle import Bundle


@pytest.fixture(scope="session")
def golden_bundle(shared: Path, pytestconfig: pytest.Config) -> Bundle:
    """The released localization network and the SCN of the golden weights, exported once for all tests."""
    from support.released_bundle import released_bundle

    return released_bundle(shared, pytestconfig.cache.mkdir("released-bundle"))
