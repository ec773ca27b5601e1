"""Scans of any size and spacing, drawn by Hypothesis."""

from __future__ import annotations

import pytest
from support.device_scans import make_scan
from support.fake_pipeline import FakePipeline, check

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(
    size=st.tuples(*[st.integers(2, 60)] * 3),
    spacing=st.tuples(*[st.floats(0.4, 9.0)] * 3),
    seed=st.integers(0, 1000),
)
def test_odd_sizes_and_spacings(
    size: tuple[int, int, int], spacing: tuple[float, float, float], seed: int
) -> None:
    check(FakePipeline(seed=seed), make_scan(seed, size), spacing)
