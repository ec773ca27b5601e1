"""A plain training loop, enough to fit a phantom: one image per step, Adam, averaged weights, dropout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from .adam import Adam
from .architecture import released_form
from .form import TRAINING
from .localization import Localization
from .losses import localization_loss, segmentation_loss
from .scn import Scn
from .weights import check_weights, initial_weights


@dataclass(frozen=True)
class TrainingSettings:
    """How to train. The defaults are the paper's (section 4.2), except `average`, which it does not state."""

    learning_rate: float = 1e-4
    average: float = 0.999
    """Decay of the exponential moving average of the weights, per step."""
    dropout: float = 0.1


class Trainer:
    """Trains ``localization`` or ``segmentation`` on one image per step.

    Dropout draws from TensorFlow's global generator: `tf.random.set_seed` makes a run repeatable.

    Args:
        network: ``localization`` or ``segmentation``.
        weights: initial weights, by checkpoint name; by default He initialization.
        settings: learning rate, averaging, dropout.

    Raises:
        ExportError: `weights` are not those of `network`.
    """

    def __init__(
        self,
        network: str,
        weights: Mapping[str, np.ndarray] | None = None,
        settings: TrainingSettings | None = None,
    ) -> None:
        start = initial_weights(network) if weights is None else check_weights(network, weights, "`weights`")
        self._settings = settings or TrainingSettings()
        self._labels = 2 if network == "localization" else released_form(start).labels
        self._model: Localization | Scn
        self._model = Localization(start, TRAINING) if network == "localization" else Scn(start, TRAINING)
        self._optimizer = Adam(self._variables, self._settings.learning_rate)
        self._averages = [tf.Variable(variable, trainable=False) for variable in self._variables]
        image = tf.TensorSpec([1, None, None, None, 1], tf.float32)
        labels = tf.TensorSpec([1, None, None, None], tf.int32)
        self._compiled_step = tf.function(self._step, input_signature=[image, labels])

    @property
    def _variables(self) -> list[tf.Variable]:
        return list(self._model.checkpoint().values())

    def step(self, image: np.ndarray, labels: np.ndarray) -> float:
        """Take one step and return the loss before it (Eq. 1 or Eq. 2).

        Args:
            image: network input (HU/2048, clipped to ±1), [z, y, x], sizes multiples of 32
                (localization: of 16).
            labels: label values, integers [z, y, x]; for localization 0 and 1.

        Raises:
            ValueError: the shapes do not fit, or a label is out of range.
        """
        multiple = 16 if isinstance(self._model, Localization) else 32
        if image.ndim != 3 or any(size % multiple or size == 0 for size in image.shape):
            raise ValueError(f"the image has shape {image.shape}; expected three multiples of {multiple}")
        if labels.shape != image.shape:
            raise ValueError(
                f"the labels have shape {labels.shape}, the image {image.shape}; expected the same"
            )
        if labels.min() < 0 or labels.max() >= self._labels:
            found = f"{labels.min()} to {labels.max()}"
            raise ValueError(f"the labels are {found}; expected 0 to {self._labels - 1}")
        return float(
            self._compiled_step(
                tf.constant(image[None, ..., None], tf.float32), tf.constant(labels[None], tf.int32)
            )
        )

    def weights(self) -> dict[str, np.ndarray]:
        """The averaged weights, by checkpoint name, as `saved_model.write_saved_model` takes them."""
        names = self._model.checkpoint()
        return {name: average.numpy() for name, average in zip(names, self._averages, strict=True)}

    def _loss(self, image: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        if isinstance(self._model, Localization):
            return localization_loss(labels, self._model.logits(image, self._settings.dropout))
        return segmentation_loss(labels, self._model(image, self._settings.dropout))

    def _step(self, image: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        variables = self._variables
        with tf.GradientTape() as tape:
            loss = self._loss(image, labels)
        gradients = tape.gradient(loss, variables)
        self._optimizer.apply(gradients)
        for average, variable in zip(self._averages, variables, strict=True):
            average.assign_add((1.0 - self._settings.average) * (variable - average))
        return loss
