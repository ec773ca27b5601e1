"""Value ranges against NumPy."""

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


@given(dtypes.flatmap(lambda dtype: arrays.arrays(dtype, shapes)))
def test_value_range(volume: NDArray[Any]) -> None:
    finite = volume[np.isfinite(volume)]
    low, high, strange = _core.value_range(volume)
    assert strange == volume.size - finite.size
    if finite.size:
        assert (low, high) == (finite.min(), finite.max())
    else:
        assert (low, high) == (math.inf, -math.inf)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_any_memory_order(dtype: Any) -> None:
    volume = np.random.default_rng(0).integers(-1000, 1000, (9, 70, 33)).astype(dtype)
    expected = (volume.min(), volume.max(), 0)
    for view in reference.every_view(volume):
        assert _core.value_range(view) == expected


def test_strange_values_are_counted_and_left_out() -> None:
    volume = np.zeros((3, 4, 5000), np.float32)
    volume[1, 2, 4500:4510] = np.nan
    volume[0, 0, :3] = np.inf
    volume[2, 3, 4999] = -np.inf
    volume[2, 1, 7] = -5
    assert _core.value_range(volume, threads=2) == (-5, 0, 14)
