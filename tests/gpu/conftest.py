"""These tests need an NVIDIA GPU; without one they are skipped, with the reason."""

from __future__ import annotations

import pytest

from efficientscn_trt import _core

PROBLEM = _core.cuda_status()["problem"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what lies in this folder."""
    if not PROBLEM:
        return
    for item in items:
        if "gpu" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=PROBLEM))
