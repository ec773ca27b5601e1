"""Adam with TensorFlow's fused update: one operator per variable, where Keras's optimizer traces forty."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


class Adam(tf.Module):
    """Kingma and Ba, 2015, with bias correction; β₁ = 0.9 and β₂ = 0.999 (paper, table 3)."""

    _BETA1 = 0.9
    _BETA2 = 0.999
    _EPSILON = 1e-8

    def __init__(self, variables: Sequence[tf.Variable], learning_rate: float) -> None:
        super().__init__()
        self._updated = list(variables)
        self._rate = learning_rate
        self._means = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self._squares = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self._steps = tf.Variable(0.0, trainable=False)

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Take one step. The gradients are in the order of the variables."""
        steps = self._steps.assign_add(1.0)
        power1, power2 = tf.pow(self._BETA1, steps), tf.pow(self._BETA2, steps)
        for i, gradient in enumerate(gradients):
            tf.raw_ops.ResourceApplyAdam(
                var=self._updated[i].handle,
                m=self._means[i].handle,
                v=self._squares[i].handle,
                beta1_power=power1,
                beta2_power=power2,
                lr=self._rate,
                beta1=self._BETA1,
                beta2=self._BETA2,
                epsilon=self._EPSILON,
                grad=gradient,
            )
