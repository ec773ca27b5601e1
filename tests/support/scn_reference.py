"""The SCN's combination of its local and spatial logits, in NumPy, float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.special

Predicted = Callable[[np.ndarray], np.ndarray]


def pooled_inputs(image: np.ndarray, logits: np.ndarray, stride: int, predicted: Predicted) -> np.ndarray:
    """Means over stride³ voxels of an image [1, z, y, x] and of what is predicted from logits
    [label, z, y, x].
    """
    values = np.concatenate([image.astype(np.float64), predicted(logits)])
    channels, z, y, x = values.shape
    blocks = values.reshape(channels, z // stride, stride, y // stride, stride, x // stride, stride)
    return blocks.mean(axis=(2, 4, 6))


def combined(local: np.ndarray, spatial: np.ndarray, stride: int) -> np.ndarray:
    """Combine local logits and spatial logits of 1/stride of the size; [label, z, y, x], not normalized."""
    logits = spatial.astype(np.float64)
    for axis in (1, 2, 3):
        logits = _upsampled(logits, axis, stride)
    return mixed(local, logits)


def mixed(local: np.ndarray, spatial: np.ndarray) -> np.ndarray:
    """Combine local and spatial logits of one size; [label, z, y, x], not normalized."""
    logits = spatial.astype(np.float64)
    s = sigmoid(logits)
    size = np.abs(logits)
    entropy = (np.log1p(np.exp(-size)) + size * sigmoid(-size)) / np.log(2)
    return sigmoid(local) * entropy + s * (1 - entropy)


def with_background(predictions: np.ndarray) -> np.ndarray:
    """Probabilities from predictions [label, z, y, x]; the background gets what the labels leave of 1."""
    rest = np.maximum(1 - predictions.sum(axis=0, keepdims=True), 0)
    values = np.concatenate([rest, predictions])
    return values / (values.sum(axis=0) + 1e-5)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """The sigmoid in float64."""
    return 1 / (1 + np.exp(-np.clip(values.astype(np.float64), -700, 700)))


def softmax(values: np.ndarray) -> np.ndarray:
    """The softmax over the labels, in float64."""
    return np.asarray(scipy.special.softmax(values.astype(np.float64), axis=0))


def _upsampled(values: np.ndarray, axis: int, stride: int) -> np.ndarray:
    """Upsample by `stride`: cubic with A = -0.5, half-pixel, the edge repeated."""
    size = values.shape[axis]
    position = (np.arange(stride * size) + 0.5) / stride - 0.5
    below = np.floor(position).astype(int)
    result = np.zeros(())
    for tap in range(-1, 3):
        d = np.abs(position - (below + tap))
        weight = np.where(d <= 1, 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2)
        shape = [-1 if other == axis else 1 for other in range(4)]
        result = result + values.take((below + tap).clip(0, size - 1), axis) * weight.reshape(shape)
    return result
