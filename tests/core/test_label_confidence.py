"""The confidence in each label against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.segmentation_plans import PARAMETERS, segmentation_plans

from efficientscn_trt import _core

SIZE = (20, 20, 20)


def _plan(start: tuple[float, ...], end: tuple[float, ...]) -> _core.SegmentationPlan:
    return _core.plan_segmentation(SIZE, (1, 1, 1), _core.Box(start, end), PARAMETERS)


def _random(classes: int, size: tuple[int, ...], seed: int, smooth: int) -> NDArray[np.float32]:
    """Probabilities of regions that are at least `smooth` voxels wide, with sums of 1."""
    generator = np.random.default_rng(seed)
    coarse = generator.random((classes, *[-(-n // smooth) for n in size]))
    for axis in (1, 2, 3):
        coarse = coarse.repeat(smooth, axis)
    depth, rows, columns = size
    values = coarse[:, :depth, :rows, :columns] ** generator.integers(1, 9)
    values = values + 0.05 * generator.random((classes, *size))
    return (values / values.sum(axis=0)).astype(np.float32)


def _in_image(plan: _core.SegmentationPlan) -> tuple[slice, slice, slice]:
    """The voxels of the network whose centres lie in the image."""
    slices = []
    for inputs, crop, (before, after) in zip(plan.input_size, plan.cropped_size, plan.paddings, strict=True):
        # Twice the crop's voxels and the network's, so that all are whole numbers.
        centres = (2 * np.arange(inputs) + 1) * crop
        inside = np.flatnonzero((centres >= 2 * before * inputs) & (centres < 2 * (crop - after) * inputs))
        slices.append(slice(inside[0], inside[-1] + 1) if inside.size else slice(0, 0))
    z, y, x = slices
    return z, y, x


def _expected(probabilities: NDArray[np.float32], label: int) -> tuple[int, float, int, int]:
    """Voxels, mean, faces and doubtful faces of `label`."""
    labels = probabilities.argmax(axis=0)
    ranked = np.sort(probabilities, axis=0)
    doubtful = ranked[-1] - ranked[-2] < np.float32(0.5) if len(ranked) > 1 else np.zeros(labels.shape, bool)
    of_label = labels == label
    faces = uncertain = 0
    for axis in range(3):
        ahead, behind = (np.moveaxis(of_label, axis, 0)[part] for part in (slice(1, None), slice(-1)))
        both = np.moveaxis(doubtful, axis, 0)
        border = ahead != behind
        faces += int(border.sum())
        uncertain += int((border & both[1:] & both[:-1]).sum())
    found = probabilities[label][of_label].astype(np.float64)
    return int(of_label.sum()), float(found.mean()) if found.size else 0.0, faces, uncertain


def check(probabilities: NDArray[np.float32], plan: _core.SegmentationPlan, threads: int = 0) -> None:
    found = _core.label_confidence(probabilities, plan, threads)
    assert len(found) == len(probabilities)
    z, y, x = _in_image(plan)
    inside = probabilities[:, z, y, x]
    for label, each in enumerate(found):
        assert each.unsound == 0
        if label == 0:
            assert (each.voxels, each.mean, each.faces, each.doubtful_faces) == (0, 0, 0, 0)
            continue
        voxels, mean, faces, uncertain = _expected(inside, label)
        assert (each.voxels, each.faces, each.doubtful_faces) == (voxels, faces, uncertain)
        assert each.mean == pytest.approx(mean, abs=2.0**-16)


@given(segmentation_plans(), st.integers(1, 7), st.sampled_from([1, 3, 9]), st.integers(0, 2**16))
@settings(max_examples=60)
def test_scans_and_boxes_of_any_size(
    plan: _core.SegmentationPlan, classes: int, smooth: int, seed: int
) -> None:
    check(_random(classes, plan.input_size, seed, smooth), plan)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_any_number_of_threads(threads: int) -> None:
    plan = _plan((3, 3, 3), (18, 15, 17))
    check(_random(5, plan.input_size, 1, 4), plan, threads)


def test_one_voxel_by_hand() -> None:
    plan = _plan((0, 0, 0), (20, 20, 20))
    probabilities = np.zeros((3, *plan.input_size), np.float32)
    probabilities[0] = 1
    probabilities[:, 8, 7, 6] = 0.2, 0.1, 0.7  # margin 0.5: not doubtful
    probabilities[:, 8, 7, 7] = 0.3, 0.6, 0.1  # margin 0.3
    probabilities[:, 8, 7, 8] = 0.6, 0.3, 0.1  # background, margin 0.3
    _, first, second = _core.label_confidence(probabilities, plan)
    assert (second.voxels, second.faces, second.doubtful_faces) == (1, 6, 0)
    assert second.mean == pytest.approx(0.7, abs=1e-4)
    assert (first.voxels, first.faces, first.doubtful_faces) == (1, 6, 1)
    assert first.mean == pytest.approx(0.6, abs=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.5, -40.0])
def test_values_that_are_no_probabilities(value: Any) -> None:
    plan = _plan((0, 0, 0), (20, 20, 20))
    probabilities = _random(4, plan.input_size, 2, 3)
    probabilities[3, 5, 5, 5] = value
    assert sum(each.unsound for each in _core.label_confidence(probabilities, plan)) == 1


def test_what_lies_outside_the_image_does_not_count() -> None:
    plan = _plan((-25, 0, 0), (5, 20, 20))
    probabilities = np.zeros((2, *plan.input_size), np.float32)
    probabilities[1] = 1
    _, organ = _core.label_confidence(probabilities, plan)
    inside = [part.stop - part.start for part in _in_image(plan)]
    assert organ.voxels == np.prod(inside) < np.prod(plan.input_size)
    assert (organ.mean, organ.faces) == (1, 0)


@pytest.mark.parametrize("start", [(900, 0, 0), (0, 900, 0), (0, 0, 900), (-900, 0, 0)])
def test_a_box_beside_the_image_has_no_voxel(start: tuple[float, ...]) -> None:
    plan = _plan(start, tuple(mm + 15 for mm in start))
    found = _core.label_confidence(np.ones((2, *plan.input_size), np.float32), plan)
    assert [each.voxels for each in found] == [0, 0]


def test_more_classes_than_labels() -> None:
    plan = _plan((0, 0, 0), (5, 5, 5))
    with pytest.raises(ValueError, match="1 to 255 classes, found 256"):
        _core.label_confidence(np.zeros((256, *plan.input_size), np.float32), plan)
