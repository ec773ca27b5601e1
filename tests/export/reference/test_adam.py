"""The fused update against the paper's algorithm in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from efficientscn_trt.export.reference.adam import Adam  # noqa: E402


def test_three_steps() -> None:
    generator = np.random.default_rng(0)
    expected = generator.standard_normal(4)
    variable = tf.Variable(expected, dtype=tf.float32)
    adam = Adam([variable], 0.01)
    mean, square = np.zeros(4), np.zeros(4)
    for step in range(1, 4):
        gradient = generator.standard_normal(4)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        expected -= 0.01 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        adam.apply([tf.constant(gradient, tf.float32)])
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-4)
