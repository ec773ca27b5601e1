"""Both networks begin to fit one small block phantom."""

from __future__ import annotations

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from efficientscn_trt.export.reference.trainer import Trainer, TrainingSettings  # noqa: E402
from efficientscn_trt.export.reference.weights import check_weights, initial_weights  # noqa: E402

# Faster than the paper's rate and average, for a handful of steps.
SETTINGS = TrainingSettings(learning_rate=1e-3, average=0.5)


def blocks(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Network input and labels of a cube: one bar per organ, each brighter than the last."""
    labels = np.zeros((size,) * 3, np.uint8)
    quarter = size // 4
    for label in range(1, 5):
        labels[2:-2, (label - 1) * quarter + 1 : label * quarter, 2:-2] = label
    noise = np.random.default_rng(0).normal(0.0, 0.01, labels.shape)
    return (np.array([-0.4, -0.1, 0.1, 0.3, 0.5])[labels] + noise).astype(np.float32), labels


@pytest.mark.parametrize(("network", "size", "steps"), [("localization", 16, 12), ("segmentation", 32, 4)])
def test_loss_falls(network: str, size: int, steps: int) -> None:
    tf.random.set_seed(0)
    image, labels = blocks(size)
    if network == "localization":
        labels = np.minimum(labels, 1)
    trainer = Trainer(network, settings=SETTINGS)
    losses = [trainer.step(image, labels) for _ in range(steps)]
    assert all(np.isfinite(losses))
    assert losses[-1] < 0.85 * losses[0]
    found, start = check_weights(network, trainer.weights(), "trained"), initial_weights(network)
    assert all((found[name] != start[name]).any() for name in start)


def test_average_of_weights() -> None:
    """With a decay of 1 the average stays where the weights began."""
    image, labels = blocks(16)
    trainer = Trainer("localization", settings=TrainingSettings(average=1.0))
    trainer.step(image, np.minimum(labels, 1))
    for name, array in initial_weights("localization").items():
        np.testing.assert_array_equal(trainer.weights()[name], array)


@pytest.mark.parametrize(
    ("image", "labels", "message"),
    [
        ((16, 24, 16), (16, 24, 16), r"shape \(16, 24, 16\); expected three multiples of 16"),
        ((16, 16), (16, 16), "expected three multiples of 16"),
        ((16, 16, 16), (16, 16, 32), r"labels have shape \(16, 16, 32\), the image \(16, 16, 16\)"),
    ],
)
def test_wrong_shapes(image: tuple[int, ...], labels: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Trainer("localization").step(np.zeros(image, np.float32), np.zeros(labels, np.uint8))


def test_wrong_label() -> None:
    image, labels = blocks(16)
    with pytest.raises(ValueError, match="the labels are 0 to 4; expected 0 to 1"):
        Trainer("localization").step(image, labels)
