"""The SCN's combination of its local and spatial logits, against NumPy in float64."""

from __future__ import annotations

from functools import partial

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


PREDICTED = {False: reference.sigmoid, True: reference.softmax}
pool_sigmoids = partial(_core.pool_inputs, stride=4, softmax=False)
CASES = (
    st.sampled_from([2, 4, 8]),
    st.integers(1, 6),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.sampled_from([8, 16, 24, 40])),
    st.sampled_from([0.01, 1.0, 5.0, 50.0]),
    st.integers(0, 2**32 - 1),
)


@given(*CASES)
def test_probabilities(
    stride: int, labels: int, small: tuple[int, int, int], scale: float, seed: int
) -> None:
    size = tuple(stride * length for length in small)
    local, spatial = logits_of(labels, size, scale, seed), logits_of(labels, small, scale, seed + 1)
    found = local.copy()
    _core.combine(found, spatial, stride=stride)
    expected = reference.combined(local, spatial, stride)
    total = expected.sum(axis=0) + 1e-5
    # The smaller the sum over the labels, the more a rounding error counts.
    error = np.abs(found - expected / total) * total
    assert error.max() < 5e-7 * max(scale, 1)


@given(*CASES)
def test_the_background_of_labels_without_one(
    stride: int, labels: int, small: tuple[int, int, int], scale: float, seed: int
) -> None:
    size = tuple(stride * length for length in small)
    local, spatial = logits_of(labels, size, scale, seed), logits_of(labels, small, scale, seed + 1)
    local, spatial = local - 2, spatial - 2  # so that in some voxels little is left of 1, in others much
    found = np.concatenate([np.full((1, *size), np.nan, np.float32), local])
    _core.combine(found[1:], spatial, stride=stride, background=found[:1])
    expected = reference.with_background(reference.combined(local, spatial, stride))
    assert np.abs(found - expected).max() < 2e-6 * max(scale, 1)


@pytest.mark.parametrize("softmax", PREDICTED)
@given(*CASES)
def test_pooled_predictions(
    softmax: bool, stride: int, labels: int, small: tuple[int, int, int], scale: float, seed: int
) -> None:
    size = tuple(stride * length for length in small)
    image, logits = image_of(size, seed), logits_of(labels, size, scale, seed)
    found = _core.pool_inputs(image, logits, stride=stride, softmax=softmax)
    assert found.shape == (1 + labels, *small)
    expected = reference.pooled_inputs(image, logits, stride, PREDICTED[softmax])
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-7)


def test_logits_of_any_size() -> None:
    local = np.zeros((2, 4, 4, 16), np.float32)
    local[0, 0, 0, :8] = [0.0, -0.0, 90, -90, 3e38, -3e38, 1e-30, -1e-30]
    spatial = np.array([500.0, -500, 0, 3e38, -3e38, 1, -1, 30], np.float32).reshape(2, 1, 1, 4)
    found = local.copy()
    _core.combine(found, spatial * 0.5, stride=4)  # the cubic taps overshoot
    assert np.isfinite(found).all()
    assert found.min() >= 0 and found.sum(axis=0).max() <= 1 + 1e-6
    image = image_of(local.shape[1:])
    for softmax, predicted in PREDICTED.items():
        pooled = _core.pool_inputs(image, local, stride=4, softmax=softmax)
        expected = reference.pooled_inputs(image, local, 4, predicted)
        np.testing.assert_allclose(pooled, expected, atol=1e-6)


def test_no_probability_is_negative() -> None:
    # All labels are so improbable that the rounding of the entropy, about 1, decides.
    local = np.full((5, 12, 8, 32), -200, np.float32)
    _core.combine(local, logits_of(5, (3, 2, 8), 0.001, 0), stride=4)
    assert local.min() >= 0
    assert local.sum(axis=0).max() <= 1


def test_what_is_not_a_number_stays_so() -> None:
    local, spatial = np.zeros((2, 8, 4, 16), np.float32), np.zeros((2, 2, 1, 4), np.float32)
    local[0, 0, 0, 0] = np.nan
    image = image_of(local.shape[1:])
    pooled = pool_sigmoids(image, local)
    assert np.isnan(pooled[:, 0, 0, 0]).tolist() == [False, True, False]
    pooled = _core.pool_inputs(image, local, stride=4, softmax=True)
    assert np.isnan(pooled[:, 0, 0, 0]).tolist() == [False, True, True]
    image[0, 0, 0, 0] = np.nan
    assert np.isnan(pool_sigmoids(image, np.zeros_like(local))[0, 0, 0, 0])
    _core.combine(local, spatial, stride=4)
    assert np.isnan(local).sum() == 2  # the sum over the labels is NaN too
    spatial[:] = np.nan
    background = np.zeros((1, *local.shape[1:]), np.float32)
    _core.combine(local, spatial, stride=4, background=background)
    assert np.isnan(background).all()
    assert np.isnan(local).all()


def test_the_threads_leave_no_trace() -> None:
    local, spatial = logits_of(5, (24, 16, 32), 2, 0), logits_of(5, (6, 4, 8), 2, 1)
    image = image_of((24, 16, 32))
    results = []
    for threads in (1, 2, 7):
        results.append(local.copy())
        _core.combine(results[-1], spatial, stride=4, threads=threads)
        np.testing.assert_array_equal(results[-1], results[0])
        np.testing.assert_array_equal(
            pool_sigmoids(image, local, threads=threads),
            pool_sigmoids(image, local, threads=1),
        )


def test_what_cannot_be_combined() -> None:
    local = np.zeros((2, 8, 8, 16), np.float32)
    with pytest.raises(ValueError, match=r"labels as logits, and \(2, 2, 4\) voxels, found 2 of \(2, 2, 2\)"):
        _core.combine(local, np.zeros((2, 2, 2, 2), np.float32), stride=4)
    with pytest.raises(ValueError, match="as many labels as logits"):
        _core.combine(local, np.zeros((3, 2, 2, 4), np.float32), stride=4)
    with pytest.raises(ValueError, match=r"multiple of 4 voxels along z and y and of 16 along x, found .*6"):
        pool_sigmoids(image_of((6, 8, 16)), np.zeros((1, 6, 8, 16), np.float32))
    for stride in (0, 1, 3, -4, 16):
        with pytest.raises(ValueError, match=f"The stride must be 2, 4 or 8, found {stride}"):
            _core.pool_inputs(image_of((8, 8, 16)), local, stride=stride, softmax=False)
        with pytest.raises(ValueError, match="The stride must be"):
            _core.combine(local, np.zeros((2, 2, 2, 4), np.float32), stride=stride)
    with pytest.raises(ValueError, match="logits must hold float32 values, found float64"):
        pool_sigmoids(image_of((8, 8, 16)), np.zeros((1, 8, 8, 16)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"one channel of the logits' \(8, 8, 16\) voxels, found 2 of"):
        pool_sigmoids(np.zeros((2, 8, 8, 16), np.float32), local)
    with pytest.raises(ValueError, match=r"found 1 of \(8, 8, 32\)"):
        pool_sigmoids(image_of((8, 8, 32)), local)
    spatial = np.zeros((2, 2, 2, 4), np.float32)
    with pytest.raises(
        ValueError, match=r"background must have one channel of the .*16\) voxels, found 2 of"
    ):
        _core.combine(local, spatial, stride=4, background=local)
    with pytest.raises(ValueError, match=r"background must have one channel .* found 1 of \(8, 8, 8\)"):
        _core.combine(local, spatial, stride=4, background=np.zeros((1, 8, 8, 8), np.float32))
    with pytest.raises(ValueError, match="background must hold float32 values, found float64"):
        _core.combine(local, spatial, stride=4, background=np.zeros((1, 8, 8, 16)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="logits must be C-contiguous and writable"):
        _core.combine(local[..., ::-1], np.zeros((2, 2, 2, 4), np.float32), stride=4)
