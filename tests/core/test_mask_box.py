"""The smallest box of a mask against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from support import core_reference as reference

from efficientscn_trt import _core

shapes = st.tuples(*[st.integers(1, 20)] * 3)


def expected(mask: NDArray[Any]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    found = np.argwhere(mask)
    if len(found) == 0:
        return None
    return tuple(found.min(axis=0).tolist()), tuple(found.max(axis=0).tolist())


@given(arrays.arrays(st.sampled_from([np.bool_, np.uint8]), shapes, fill=st.just(False)))
def test_mask_box(mask: NDArray[Any]) -> None:
    assert _core.mask_box(mask) == expected(mask)


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_any_memory_order(dtype: Any) -> None:
    mask = np.zeros((9, 14, 11), dtype)
    mask[3:5, 7:12, 1] = True
    for view in reference.every_view(mask):
        assert _core.mask_box(view) == ((3, 7, 1), (4, 11, 1))


def test_empty_and_full() -> None:
    assert _core.mask_box(np.zeros((5, 6, 7), bool)) is None
    assert _core.mask_box(np.ones((5, 6, 7), bool)) == ((0, 0, 0), (4, 5, 6))


@pytest.mark.parametrize("stride", [-(2**63), 2**63 - 1])
def test_an_axis_of_length_1_may_have_any_stride(stride: int) -> None:
    mask = as_strided(np.ones((1, 4, 3), np.uint8), strides=(stride, 3, 1))
    assert _core.mask_box(mask) == ((0, 0, 0), (0, 3, 2))
