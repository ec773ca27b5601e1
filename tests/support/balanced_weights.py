"""Untrained weights of an SCN that gives every label to some voxels."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from efficientscn_trt.export.reference.architecture import ScnArchitecture
from efficientscn_trt.export.reference.form import TRAINING
from efficientscn_trt.export.reference.scn import Scn
from efficientscn_trt.export.reference.weights import initial_weights

_DEVIATION = 2.0  # of the logits


def balanced_weights(scn: ScnArchitecture, mean: float = 0.0) -> dict[str, np.ndarray]:
    """Weights of `scn`: on noise, the logits of all labels have one distribution, with this mean."""
    weights = initial_weights("segmentation", seed=0, scn=scn)
    image = np.random.default_rng(0).normal(0, 0.3, (1, 32, 32, 32, 1)).clip(-1, 1).astype(np.float32)

    def balance(last: str, logits: np.ndarray) -> None:
        """Scale the last layer, whose kernel is number `last` of its group, by the logits [voxel, label]."""
        group, _, number = last.rpartition("/")
        factor = (_DEVIATION / logits.std(axis=0)).astype(np.float32)
        weights[last] *= factor
        bias = f"{group}/{int(number) + 1}"
        weights[bias] = ((weights[bias] - logits.mean(axis=0)) * factor + mean).astype(np.float32)

    def run() -> tuple[np.ndarray, np.ndarray]:
        _, local, spatial = Scn(weights, TRAINING, scn)(tf.constant(image))
        labels = len(scn.channels)
        return local.numpy().reshape(-1, labels), spatial.numpy().reshape(-1, labels)

    balance(f"local_appearance/variables/{len(scn.local.array_shapes()) - 2}", run()[0])
    _, spatial = run()
    first = 0
    for label in scn.order:
        first += len(scn.spatial(label).array_shapes())
        logits = spatial[:, [scn.channels.index(label)]]
        balance(f"spatial_configuration/variables/{first - 2}", logits)
    return weights
