"""Eq. 1 and Eq. 2 against values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from efficientscn_trt.training.losses import (
    cross_entropy,
    generalized_dice,
    localization_loss,
    merge_unknown,
    one_hot,
    segmentation_loss,
)
from efficientscn_trt.training.networks import SegmentationOutput, combine


def line(*labels: list[float]) -> torch.Tensor:
    """(1, labels, 1, 1, x)"""
    return torch.tensor(labels, dtype=torch.float32).reshape(1, len(labels), 1, 1, -1)


def test_generalized_dice_by_hand() -> None:
    # Background 3 voxels, w = 1/9; organ 1 voxel, w = 1.
    truth = line([1, 1, 1, 0], [0, 0, 0, 1])
    prediction = line([0.9, 0.8, 1.0, 0.4], [0.1, 0.2, 0.0, 0.6])
    overlap = 2.7 / 9 + 0.6
    total = (3 + 3.1) / 9 + (1 + 0.9)
    assert float(generalized_dice(truth, prediction)) == pytest.approx(1 - 2 * overlap / total, rel=1e-6)
    assert float(generalized_dice(truth, truth)) == pytest.approx(0, abs=1e-6)


def test_small_labels_weigh_as_the_smallest_allowed() -> None:
    truth = line([1, 1, 1, 0], [0, 0, 0, 1])
    prediction = line([0.9, 0.8, 1.0, 0.4], [0.1, 0.2, 0.0, 0.6])
    overlap, total = 2.7 / 9 + 0.6 / 4, (3 + 3.1) / 9 + (1 + 0.9) / 4
    loss = generalized_dice(truth, prediction, smallest=2)
    assert float(loss) == pytest.approx(1 - 2 * overlap / total, rel=1e-6)


def test_absent_labels_do_not_weigh() -> None:
    truth = line([1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0])
    prediction = line([0.7, 1, 0, 0.2], [0, 0, 1, 0.8], [0.3, 0, 0, 0])
    assert float(generalized_dice(truth, prediction)) == pytest.approx(
        float(generalized_dice(truth[:, :2], prediction[:, :2]))
    )


def test_localization_loss_by_hand() -> None:
    # Softmax of logits (0, ln 3) is (1/4, 3/4).
    logits = line([0.0, math.log(3)], [math.log(3), 0.0])
    labels = torch.tensor([1, 0]).reshape(1, 1, 1, 2)
    assert float(localization_loss(labels, logits)) == pytest.approx(1 - 2 * (0.75 + 0.75) / 4, rel=1e-6)


def test_cross_entropy_by_hand() -> None:
    truth, logits = line([1, 0], [0, 1]), line([math.log(3), 0.0], [0.0, -math.log(4)])
    expected = (math.log(4 / 3) + math.log(2) + math.log(2) + math.log(5)) / 4
    assert float(cross_entropy(truth, logits, [1])) == pytest.approx(expected, rel=1e-6)


def test_balanced_cross_entropy_by_hand() -> None:
    # One own voxel to three others: weight 3 ** 0.5, normalised by the mean (3 + 3 ** 0.5) / 4.
    truth, logits = line([1, 0, 0, 0]), line([0.0, 0.0, 0.0, math.log(4)])
    expected = (math.sqrt(3) * math.log(2) + 2 * math.log(2) + math.log(5)) / (3 + math.sqrt(3))
    assert float(cross_entropy(truth, logits, (), balance=0.5)) == pytest.approx(expected, rel=1e-5)


def test_balance_leaves_labels_alone_that_fill_all_or_nothing() -> None:
    truth, logits = line([1] * 7, [0] * 7), line([0.3] * 7, [-2.0] * 7)
    assert float(cross_entropy(truth, logits, [1], balance=0.5)) == pytest.approx(
        float(cross_entropy(truth, logits, [1]))
    )


def test_segmentation_loss_is_the_weighted_sum() -> None:
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 5, (1, 4, 4, 4), generator=rng)
    local, spatial = (torch.randn(1, 5, 4, 4, 4, generator=rng) for _ in range(2))
    output = SegmentationOutput(combine(torch.sigmoid(local), spatial), local, spatial)
    known = (1, 2, 3, 4)
    truth = one_hot(labels, 5)
    expected = (
        generalized_dice(truth, output.probabilities)
        + 0.5 * cross_entropy(truth, local, known)
        + 2.0 * cross_entropy(truth, spatial, known)
    )
    loss = segmentation_loss(labels, output, known, local_weight=0.5, spatial_weight=2.0)
    assert float(loss) == pytest.approx(float(expected))


def test_what_is_said_of_unknown_labels_does_not_change_the_loss() -> None:
    rng = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 2, (1, 4, 4, 4), generator=rng)  # only the liver was labelled
    local, spatial = (torch.randn(1, 5, 4, 4, 4, generator=rng) for _ in range(2))
    probabilities = combine(torch.sigmoid(local), spatial)

    def loss(moved: torch.Tensor, other: torch.Tensor) -> float:
        return float(segmentation_loss(labels, SegmentationOutput(moved, other, spatial), (1,)))

    before = loss(probabilities, local)
    # Where the ground truth is background, the spleen is as right as the background.
    moved = probabilities.clone()
    moved[:, 3] += moved[:, 0]
    moved[:, 0] = 0
    assert loss(moved, local) == pytest.approx(before, rel=1e-5)
    other = local.clone()
    other[:, 2:] += 3
    other[:, 0][labels == 0] -= 3
    assert loss(probabilities, other) == pytest.approx(before, rel=1e-6)
    other[:, 1] += 3
    assert loss(probabilities, other) != pytest.approx(before, rel=1e-3)


def test_merging_keeps_the_known_labels_in_order() -> None:
    truth, prediction = line([1], [0], [0], [0], [0]), line([0.1], [0.2], [0.3], [0.15], [0.25])
    kept_truth, kept = merge_unknown(truth, prediction, (3, 1))
    np.testing.assert_allclose(kept.flatten(), [0.1 + 0.3 + 0.25, 0.2, 0.15], rtol=1e-6)
    assert kept_truth.shape == (1, 3, 1, 1, 1)


def test_gradients_are_finite_where_the_networks_are_certain() -> None:
    local = torch.full((1, 5, 2, 2, 2), 80.0, requires_grad=True)
    spatial = torch.full((1, 5, 2, 2, 2), -80.0, requires_grad=True)
    output = SegmentationOutput(combine(torch.sigmoid(local), spatial), local, spatial)
    segmentation_loss(torch.zeros(1, 2, 2, 2, dtype=torch.long), output, (1, 2, 3, 4)).backward()
    assert local.grad is not None and spatial.grad is not None
    assert torch.isfinite(local.grad).all() and torch.isfinite(spatial.grad).all()
