"""Fixtures of the benchmarks' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.check_context import check_context

from efficientscn_trt.bundle import Bundle

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="session", autouse=True)
def _import_benchmarks() -> Iterator[None]:
    """Put the scripts' folder on the path, because they are not a package and import one another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_cache(own_cache: None) -> None:
    """All tests here have it."""


@pytest.fixture
def context(tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Any:
    """See `check_context`."""
    return check_context(tmp_path, tiny_bundle, monkeypatch)
