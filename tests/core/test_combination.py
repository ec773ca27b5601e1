"""The SCN's combination of its local and spatial logits, against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import scn_reference as reference

from efficientscn_trt import _core


def logits_of(labels: int, size: tuple[int, ...], scale: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, (labels, *size)).astype(np.float32)


def image_of(size: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (1, *size)).astype(np.float32)


CASES = (
    st.integers(1, 6),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.sampled_from([4, 8, 12, 40])),
    st.sampled_from([0.01, 1.0, 5.0, 50.0]),
    st.integers(0, 2**32 - 1),
)


@given(*CASES)
def test_probabilities(labels: int, small: tuple[int, int, int], scale: float, seed: int) -> None:
    size = tuple(4 * length for length in small)
    local, spatial = logits_of(labels, size, scale, seed), logits_of(labels, small, scale, seed + 1)
    found = local.copy()
    _core.combine(found, spatial)
    expected = reference.combined(local, spatial)
    total = expected.sum(axis=0) + 1e-5
    # The smaller the sum over the labels, the more a rounding error counts.
    error = np.abs(found - expected / total) * total
    assert error.max() < 5e-7 * max(scale, 1)


@given(*CASES)
def test_pooled_predictions(labels: int, small: tuple[int, int, int], scale: float, seed: int) -> None:
    size = tuple(4 * length for length in small)
    image, logits = image_of(size, seed), logits_of(labels, size, scale, seed)
    found = _core.pool_inputs(image, logits)
    assert found.shape == (1 + labels, *small)
    np.testing.assert_allclose(found, reference.pooled_inputs(image, logits), rtol=0, atol=5e-7)


def test_logits_of_any_size() -> None:
    local = np.zeros((2, 4, 4, 16), np.float32)
    local[0, 0, 0, :8] = [0.0, -0.0, 90, -90, 3e38, -3e38, 1e-30, -1e-30]
    spatial = np.array([500.0, -500, 0, 3e38, -3e38, 1, -1, 30], np.float32).reshape(2, 1, 1, 4)
    found = local.copy()
    _core.combine(found, spatial * 0.5)  # the cubic taps overshoot
    assert np.isfinite(found).all()
    assert found.min() >= 0 and found.sum(axis=0).max() <= 1 + 1e-6
    image = image_of(local.shape[1:])
    expected = reference.pooled_inputs(image, local)
    np.testing.assert_allclose(_core.pool_inputs(image, local), expected, atol=1e-6)


def test_no_probability_is_negative() -> None:
    # All labels are so improbable that the rounding of the entropy, about 1, decides.
    local = np.full((5, 12, 8, 32), -200, np.float32)
    _core.combine(local, logits_of(5, (3, 2, 8), 0.001, 0))
    assert local.min() >= 0
    assert local.sum(axis=0).max() <= 1


def test_what_is_not_a_number_stays_so() -> None:
    local, spatial = np.zeros((2, 8, 4, 16), np.float32), np.zeros((2, 2, 1, 4), np.float32)
    local[0, 0, 0, 0] = np.nan
    image = image_of(local.shape[1:])
    assert np.isnan(_core.pool_inputs(image, local)[1, 0, 0, 0])
    image[0, 0, 0, 0] = np.nan
    assert np.isnan(_core.pool_inputs(image, np.zeros_like(local))[0, 0, 0, 0])
    _core.combine(local, spatial)
    assert np.isnan(local).sum() == 2  # the sum over the labels is NaN too
    spatial[:] = np.nan
    _core.combine(local, spatial)
    assert np.isnan(local).all()


def test_the_threads_leave_no_trace() -> None:
    local, spatial = logits_of(5, (24, 16, 32), 2, 0), logits_of(5, (6, 4, 8), 2, 1)
    image = image_of((24, 16, 32))
    results = []
    for threads in (1, 2, 7):
        results.append(local.copy())
        _core.combine(results[-1], spatial, threads=threads)
        np.testing.assert_array_equal(results[-1], results[0])
        np.testing.assert_array_equal(
            _core.pool_inputs(image, local, threads=threads), _core.pool_inputs(image, local, threads=1)
        )


def test_what_cannot_be_combined() -> None:
    local = np.zeros((2, 8, 8, 16), np.float32)
    with pytest.raises(ValueError, match="as many labels as logits, and a quarter of their voxels"):
        _core.combine(local, np.zeros((2, 2, 2, 2), np.float32))
    with pytest.raises(ValueError, match="as many labels as logits"):
        _core.combine(local, np.zeros((3, 2, 2, 4), np.float32))
    with pytest.raises(ValueError, match=r"multiple of 4 voxels along z and y and of 16 along x, found .*6"):
        _core.pool_inputs(image_of((6, 8, 16)), np.zeros((1, 6, 8, 16), np.float32))
    with pytest.raises(ValueError, match="logits must hold float32 values, found float64"):
        _core.pool_inputs(image_of((8, 8, 16)), np.zeros((1, 8, 8, 16)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"one channel of the logits' \(8, 8, 16\) voxels, found 2 of"):
        _core.pool_inputs(np.zeros((2, 8, 8, 16), np.float32), local)
    with pytest.raises(ValueError, match=r"found 1 of \(8, 8, 32\)"):
        _core.pool_inputs(image_of((8, 8, 32)), local)
    with pytest.raises(ValueError, match="logits must be C-contiguous and writable"):
        _core.combine(local[..., ::-1], np.zeros((2, 2, 2, 4), np.float32))
