"""Fixtures of the tests of reading and writing."""

from __future__ import annotations

import pytest

from efficientscn_trt import Segmenter
from efficientscn_trt.bundle import Bundle


@pytest.fixture(scope="session")
def segmenter(tiny_bundle: Bundle) -> Segmenter:
    """One segmenter of HU thresholds for all tests: it keeps no state."""
    return Segmenter(tiny_bundle)
