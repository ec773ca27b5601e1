"""The paper's losses: Eq. 1 for the localization network, Eq. 2 for the SCN. Arrays are channels last."""

from __future__ import annotations

import tensorflow as tf

from .scn import ScnOutput


def generalized_dice(truth: tf.Tensor, prediction: tf.Tensor) -> tf.Tensor:
    """Generalized Dice loss (Sudre et al., 2017): 1 − 2·Σ_l w_l·Σ r·p / Σ_l w_l·Σ (r + p), w_l = 1 / (Σ r)².

    A label that does not occur would have infinite weight. It gets the largest weight of those that occur.

    Args:
        truth: r, the ground truth, one-hot, float32 [n, z, y, x, labels]; each image has at least one label.
        prediction: p in [0, 1], of the same shape.

    Returns:
        The mean over the n images, a scalar in [0, 1].
    """
    space = [1, 2, 3]
    volume = tf.reduce_sum(truth, space)
    occurs = volume > 0.0
    weights = tf.where(occurs, 1.0 / tf.square(tf.maximum(volume, 1.0)), 0.0)
    weights = tf.where(occurs, weights, tf.reduce_max(weights, axis=1, keepdims=True))
    overlap = tf.reduce_sum(weights * tf.reduce_sum(truth * prediction, space), axis=1)
    total = tf.reduce_sum(weights * tf.reduce_sum(truth + prediction, space), axis=1)
    return tf.reduce_mean(1.0 - 2.0 * overlap / total)


def cross_entropy(truth: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy of each label's sigmoid, in nats; the mean over voxels and labels.

    Binary, because each half of the SCN gives one sigmoid per label, not a softmax over the labels.

    Args:
        truth: ground truth, one-hot, float32 [n, z, y, x, labels].
        logits: of the same shape.
    """
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=logits))


def localization_loss(mask: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Eq. 1: generalized Dice of the softmax.

    Args:
        mask: 0 or 1, integers [n, z, y, x].
        logits: float32 [n, z, y, x, 2], background first.
    """
    return generalized_dice(tf.one_hot(mask, 2), tf.nn.softmax(logits))


def segmentation_loss(
    labels: tf.Tensor, output: ScnOutput, local_weight: float = 1.0, spatial_weight: float = 1.0
) -> tf.Tensor:
    """Eq. 2: generalized Dice of the probabilities + λ¹·CE of the local + λ²·CE of the spatial prediction.

    Args:
        labels: label values, integers [n, z, y, x].
        output: the SCN's output in its channels-last form.
        local_weight: λ¹. The paper does not state it.
        spatial_weight: λ². The paper does not state it.
    """
    truth = tf.one_hot(labels, output.probabilities.shape[-1])
    return (
        generalized_dice(truth, output.probabilities)
        + local_weight * cross_entropy(truth, output.local_logits)
        + spatial_weight * cross_entropy(truth, output.spatial_logits)
    )
