"""A segmented scan, and its page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.html_page import HtmlPage
from support.scans import block_image

from efficientscn_trt import Segmentation, Segmenter

Report = Callable[..., HtmlPage]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(own_cache: None) -> None:
    """All tests here have it."""


@pytest.fixture(scope="session")
def result(segmenter: Segmenter) -> Segmentation:
    """Four blocks with known labels, of which none is as large as the organ of an adult."""
    return segmenter.segment(block_image())


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Write the page about a result, and read it."""

    def write(result: Segmentation, *, with_patient: bool = False) -> HtmlPage:
        path = tmp_path / "page.html"
        result.report(path, with_patient=with_patient)
        return HtmlPage(path)

    return write
