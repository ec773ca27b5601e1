"""Extremes and histograms of a scan's values against NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from support import core_reference as reference

from efficientscn_trt import _core

shapes = st.tuples(*[st.integers(1, 25)] * 3)
dtypes = st.sampled_from([np.int16, np.uint8, np.uint16, np.int32, np.float32])


def histogram(values: NDArray[Any], summary: _core.ValueSummary) -> NDArray[np.int64]:
    """The counts of `values`, by NumPy."""
    edges = [-np.inf, *summary.edges.tolist(), np.inf]
    return np.histogram(values.astype(np.float64), edges)[0]


@given(dtypes.flatmap(lambda dtype: arrays.arrays(dtype, shapes)))
def test_value_summary(volume: NDArray[Any]) -> None:
    finite = volume[np.isfinite(volume)]
    summary = _core.value_summary(volume)
    assert summary.nonfinite == volume.size - finite.size
    if finite.size:
        assert (summary.low, summary.high) == (finite.min(), finite.max())
    else:
        assert (summary.low, summary.high) == (math.inf, -math.inf)
    np.testing.assert_array_equal(summary.counts, histogram(finite, summary))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_any_memory_order(dtype: Any) -> None:
    volume = np.random.default_rng(0).integers(-4000, 4000, (9, 70, 33)).astype(dtype)
    for view in reference.every_view(volume):
        summary = _core.value_summary(view)
        assert (summary.low, summary.high, summary.nonfinite) == (volume.min(), volume.max(), 0)
        np.testing.assert_array_equal(summary.counts, histogram(volume, summary))


def test_strange_values_are_counted_and_left_out() -> None:
    volume = np.zeros((3, 4, 5000), np.float32)
    volume[1, 2, 4500:4510] = np.nan
    volume[0, 0, :3] = np.inf
    volume[2, 3, 4999] = -np.inf
    volume[2, 1, 7] = -5
    summary = _core.value_summary(volume, threads=2)
    assert (summary.low, summary.high, summary.nonfinite) == (-5, 0, 14)
    assert summary.counts.sum() == volume.size - 14


@pytest.mark.parametrize("edge", [-3100, -3090, -10, 0, 10, 1490, 1500])
def test_a_bin_begins_with_its_lower_edge(edge: int) -> None:
    summary = _core.value_summary(np.full((2, 2, 2), edge, np.float32))
    below = _core.value_summary(np.full((2, 2, 2), np.nextafter(np.float32(edge), np.float32(-np.inf))))
    bin = int(np.searchsorted(summary.edges, edge)) + 1
    assert np.flatnonzero(summary.counts).tolist() == [bin]
    assert np.flatnonzero(below.counts).tolist() == [bin - 1]


def test_a_large_scan_is_counted_in_evenly_spaced_rows() -> None:
    volume = np.zeros((48, 256, 300), np.int16)  # 3.5 times the voxels that are enough
    volume[:] = np.arange(256).reshape(256, 1) * 10
    summary = _core.value_summary(volume)
    expected = histogram(volume.reshape(-1, 300)[::5], summary)  # not 4, which divides 256: all rows count
    assert np.count_nonzero(expected[summary.edges.searchsorted(0) + 1 :]) > 150
    np.testing.assert_array_equal(summary.counts, expected)
    assert _core.value_summary(volume, threads=1).counts.tolist() == expected.tolist()
