"""From stored values to HU, frame by frame. Source: DICOM PS3.3, C.11.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ..hu import hu_dtype, rescale
from .elements import items
from .files import Instance
from .frames import Frame
from .storage import Storage


@dataclass(frozen=True)
class HuScale:
    """The dtype of the volume: the smallest whole number that holds all that can be stored, else float32."""

    dtype: np.dtype

    @classmethod
    def of(cls, frames: Sequence[Frame], storages: Mapping[Instance, Storage]) -> HuScale:
        """That of frames with these rescale slopes and intercepts.

        Raises InputError if only some are there or usable, if a slope is 0, or if a table replaces them.
        """
        if any(items(instance.header, "ModalityLUTSequence") for instance in storages):
            raise InputError(
                f"{frames[0].instance.file} turns stored values into HU by a table (Modality LUT), expected "
                "a rescale slope and intercept; export the series from the archive again."
            )
        if any(frame.rescaled for frame in frames):
            for frame in frames:
                if frame.slope is None or frame.intercept is None:
                    raise InputError(
                        f"{frame.instance.file} lacks a usable rescale slope or intercept, so its HU are "
                        "unknown; export the series from the archive again."
                    )
        for frame in frames:
            if frame.slope == 0:
                raise InputError(
                    f"{frame.instance.file} has the rescale slope 0, which leaves no image; export the "
                    "series from the archive again."
                )
        scales = ((*_rescale(frame), storages[frame.instance].extremes) for frame in frames)
        return cls(hu_dtype(scales))

    def apply(self, values: np.ndarray, frame: Frame, out: np.ndarray) -> None:
        """Write the HU of `values` to `out`, both [row, column]."""
        rescale(values, *_rescale(frame), out)


def _rescale(frame: Frame) -> tuple[float, float]:
    slope = 1.0 if frame.slope is None else frame.slope
    return slope, 0.0 if frame.intercept is None else frame.intercept
