"""Label maps against NumPy: linear resize of every class, then argmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special
from support import core_reference as reference
from support.segmentation_plans import PARAMETERS, segmentation_plans

from efficientscn_trt import _core


def organs(size: tuple[int, ...], classes: int, seed: int, noise: float) -> NDArray[np.float32]:
    """Smooth blobs, one per class, with noise at their borders."""
    generator = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in size], indexing="ij"))
    logits = [np.zeros(size)]
    for _ in range(classes - 1):
        centre = generator.uniform(-0.7, 0.7, (3, 1, 1, 1))
        logits.append(30 * (generator.uniform(0.2, 0.6) - np.sqrt(((grid - centre) ** 2).sum(axis=0))))
    values = np.stack(logits) + noise * generator.standard_normal((classes, *size))
    return special.softmax(values, axis=0).astype(np.float32)


def probabilities_of(kind: str, classes: int, size: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    shape = (classes, *size)
    if kind == "organs":
        return organs(size, classes, seed, 0.0)
    if kind == "noisy organs":
        return organs(size, classes, seed, 2.0)
    if kind == "ties":
        return (generator.integers(0, 3, shape) / 2).astype(np.float32)
    if kind == "near ties":
        return (0.5 + generator.integers(-2, 3, shape) * 2.0**-24).astype(np.float32)
    if kind == "any scale":
        return (generator.standard_normal(shape) * 1000).astype(np.float32)
    return generator.random(shape, np.float32)


KINDS = ("organs", "noisy organs", "ties", "near ties", "any scale", "random")


def check(probabilities: NDArray[np.float32], plan: Any, labels: NDArray[np.uint8], threads: int = 0) -> None:
    counts = _core.write_labels(probabilities, plan, labels, threads=threads)
    expected = reference.labels(probabilities, labels.shape, plan.cropped_size, plan.croppings, plan.paddings)
    np.testing.assert_array_equal(labels, expected)
    assert counts.dtype == np.uint64
    np.testing.assert_array_equal(counts, np.bincount(expected.ravel(), minlength=len(probabilities)))


@given(segmentation_plans(), st.sampled_from(KINDS), st.integers(1, 7), st.integers(0, 2**16))
@settings(max_examples=60)
def test_labels(plan: _core.SegmentationPlan, kind: str, classes: int, seed: int) -> None:
    labels = np.full(plan.image_size, 99, np.uint8)
    check(probabilities_of(kind, classes, plan.input_size, seed), plan, labels)


@pytest.mark.parametrize("kind", KINDS)
def test_any_memory_order_of_the_label_map(kind: str) -> None:
    size, spacing = (37, 83, 71), (2.5, 0.8, 0.9)
    plan = _core.plan_segmentation(size, spacing, _core.Box((-10, 5, 8), (60, 50, 48)), PARAMETERS)
    probabilities = probabilities_of(kind, 5, plan.input_size, 3)
    expected = reference.labels(probabilities, size, plan.cropped_size, plan.croppings, plan.paddings)
    for view in reference.every_view(np.full(size, 99, np.uint8)):
        _core.write_labels(probabilities, plan, view)
        np.testing.assert_array_equal(view, expected)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_any_number_of_threads(threads: int) -> None:
    size = (40, 50, 60)
    plan = _core.plan_segmentation(size, (1, 1, 1), _core.Box((3, 3, 3), (30, 40, 50)), PARAMETERS)
    check(probabilities_of("noisy organs", 5, plan.input_size, 1), plan, np.zeros(size, np.uint8), threads)


def test_views_with_gaps_leave_the_gaps_alone() -> None:
    size = (20, 30, 25)
    plan = _core.plan_segmentation(size, (1, 1, 1), _core.Box((3, 3, 3), (12, 20, 20)), PARAMETERS)
    stored = np.full([2 * n for n in size], 99, np.uint8)
    check(probabilities_of("random", 5, plan.input_size, 1), plan, stored[::2, ::2, ::2])
    assert np.all(stored[1::2] == 99)
    assert np.all(stored[:, 1::2] == 99)
    assert np.all(stored[:, :, 1::2] == 99)


def test_the_first_class_wins_a_tie() -> None:
    size = (20, 20, 20)
    plan = _core.plan_segmentation(size, (1, 1, 1), _core.Box((0, 0, 0), (15, 15, 15)), PARAMETERS)
    probabilities = np.full((4, *plan.input_size), 0.25, np.float32)
    probabilities[0] = 0.1
    labels = np.zeros(size, np.uint8)
    _core.write_labels(probabilities, plan, labels)
    inside = tuple(slice(b, n - a) for (b, a), n in zip(plan.croppings, size, strict=True))
    assert np.all(labels[inside] == 1)


def test_nan_never_wins() -> None:
    size = (20, 20, 20)
    plan = _core.plan_segmentation(size, (1, 1, 1), _core.Box((0, 0, 0), (15, 15, 15)), PARAMETERS)
    probabilities = np.zeros((3, *plan.input_size), np.float32)
    probabilities[1] = 0.5
    probabilities[2] = np.nan
    labels = np.zeros(size, np.uint8)
    _core.write_labels(probabilities, plan, labels)
    assert set(np.unique(labels)) <= {0, 1}


def test_a_box_beside_the_image_leaves_background() -> None:
    size = (20, 20, 20)
    plan = _core.plan_segmentation(size, (1, 1, 1), _core.Box((900, 0, 0), (915, 15, 15)), PARAMETERS)
    labels = np.full(size, 9, np.uint8)
    counts = _core.write_labels(np.ones((2, *plan.input_size), np.float32), plan, labels)
    assert not labels.any()
    assert list(counts) == [8000, 0]
