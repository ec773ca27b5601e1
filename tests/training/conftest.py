"""Fixtures of the training tests, which need the extra [train]."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra [train]")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """Use as many threads as CI has, because a run's bits depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
