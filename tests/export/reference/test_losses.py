"""The losses against values worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from efficientscn_trt.export.reference.losses import (  # noqa: E402
    cross_entropy,
    generalized_dice,
    localization_loss,
    segmentation_loss,
)
from efficientscn_trt.export.reference.scn import ScnOutput  # noqa: E402


def voxels(rows: list[list[float]]) -> Any:
    """Return [1, voxels, 1, 1, labels] of one row per voxel and one column per label."""
    return tf.constant(np.array(rows, np.float32)[None, :, None, None])


def test_generalized_dice_by_hand() -> None:
    # Volumes 3 and 1, so weights 1/9 and 1.
    truth = voxels([[1, 0], [1, 0], [1, 0], [0, 1]])
    prediction = voxels([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    overlap = (0.9 + 0.8 + 0.6) / 9 + 0.7
    total = (3 + 2.6) / 9 + (1 + 1.4)
    assert float(generalized_dice(truth, prediction)) == pytest.approx(1 - 2 * overlap / total, abs=1e-6)


def test_generalized_dice_of_an_absent_label() -> None:
    """Label 2 does not occur, so it gets the weight of label 1, the largest weight: 1."""
    truth = voxels([[1, 0, 0], [1, 0, 0], [0, 1, 0]])
    prediction = voxels([[0.5, 0.3, 0.2], [1, 0, 0], [0, 0.9, 0.1]])
    overlap = 1.5 / 4 + 0.9
    total = (2 + 1.5) / 4 + (1 + 1.2) + 0.3
    assert float(generalized_dice(truth, prediction)) == pytest.approx(1 - 2 * overlap / total, abs=1e-6)


def test_generalized_dice_runs_from_0_to_1() -> None:
    truth = voxels([[1, 0], [0, 1]])
    assert float(generalized_dice(truth, truth)) == pytest.approx(0.0, abs=1e-6)
    assert float(generalized_dice(truth, 1 - truth)) == pytest.approx(1.0, abs=1e-6)


def test_cross_entropy_by_hand() -> None:
    truth = voxels([[1, 0], [0, 1]])
    odds = voxels([[math.log(3.0), math.log(1 / 3)], [0.0, math.log(4.0)]])
    expected = -(math.log(0.75) + math.log(0.75) + math.log(0.5) + math.log(0.8)) / 4
    assert float(cross_entropy(truth, odds)) == pytest.approx(expected, abs=1e-6)


def test_localization_loss_is_generalized_dice_of_the_softmax() -> None:
    logits = voxels([[math.log(9.0), 0.0], [0.0, math.log(4.0)]])  # softmax 0.9, 0.1 and 0.2, 0.8
    mask = tf.constant([0, 1])[None, :, None, None]
    expected = 1 - 2 * (0.9 + 0.8) / 4
    assert float(localization_loss(mask, logits)) == pytest.approx(expected, abs=1e-6)


def test_segmentation_loss_weighs_both_halves() -> None:
    labels = tf.constant([0, 1])[None, :, None, None]
    certain = voxels([[1, 0], [0, 1]])
    output = ScnOutput(
        probabilities=voxels([[0.9, 0.1], [0.2, 0.8]]),
        local_logits=tf.zeros_like(certain),  # ln 2 per voxel and label
        spatial_logits=math.log(3.0) * (2 * certain - 1),  # ln 4/3
    )
    expected = (1 - 2 * 1.7 / 4) + 0.5 * math.log(2.0) + 2.0 * math.log(4 / 3)
    assert float(segmentation_loss(labels, output, 0.5, 2.0)) == pytest.approx(expected, abs=1e-6)
