"""The two forms that each network can be written in: layout and number format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Form:
    """Layout and number format of the activations; the variables are float32 in both forms."""

    channels_first: bool
    dtype: tf.DType

    @property
    def channel_axis(self) -> int:
        """Axis of the channels in a 5-D activation."""
        return 1 if self.channels_first else 4

    @property
    def spatial_axes(self) -> tuple[int, int, int]:
        """Axes z, y, x of a 5-D activation."""
        return (2, 3, 4) if self.channels_first else (1, 2, 3)

    def shape(self, channels: int) -> list[int | None]:
        """Static shape of an activation with `channels` channels and any size."""
        shape: list[int | None] = [None] * 5
        shape[self.channel_axis] = channels
        return shape

    def cast(self, values: Any) -> tf.Tensor:
        """`values` in this form's number format."""
        return tf.cast(values, self.dtype)


RELEASED = Form(channels_first=True, dtype=tf.float16)
"""As in the released SavedModels: [n, c, z, y, x] in float16. On a CPU, only XLA runs it."""

TRAINING = Form(channels_first=False, dtype=tf.float32)
"""For training, and for plain TensorFlow on a CPU: [n, z, y, x, c] in float32."""
