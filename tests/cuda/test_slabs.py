"""Slabs cover a volume once and in order, each within its bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from efficientscn_trt import _core


@given(slices=st.integers(0, 3000), slice_bytes=st.integers(1, 10_000), slab_bytes=st.integers(1, 100_000))
def test_slabs(slices: int, slice_bytes: int, slab_bytes: int) -> None:
    slabs = _core.plan_slabs(slices, slice_bytes, slab_bytes)
    covered = [slice_ for first, count in slabs for slice_ in range(first, first + count)]
    assert covered == list(range(slices))
    for _, count in slabs:
        assert count == 1 or count * slice_bytes <= slab_bytes


def test_tiny_slices_do_not_exceed_a_launchs_grid() -> None:
    assert max(count for _, count in _core.plan_slabs(1_000_000, 1)) <= 65535


def test_any_number_of_bytes() -> None:
    assert _core.plan_slabs(5, 1, 2**64 - 1) == [(0, 5)]
    assert _core.plan_slabs(2, 2**64 - 1, 1) == [(0, 1), (1, 1)]
