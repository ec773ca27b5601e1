"""These tests need an NVIDIA GPU, or the emulated one; without either they are skipped, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.emulated_gpu import is_emulated

from efficientscn_trt import _core

PROBLEM = _core.cuda_status()["problem"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests in this folder."""
    if not PROBLEM:
        return
    for item in items:
        if "gpu" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=PROBLEM))


@pytest.fixture
def replay_share(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that sets EMULATED_REPLAY, the share of its time that work takes in a graph."""
    if not is_emulated():
        pytest.skip("the clock of a real GPU cannot be set")
    return lambda share: monkeypatch.setenv("EMULATED_REPLAY", share)


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a test compiles out of the user's cache."""
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
