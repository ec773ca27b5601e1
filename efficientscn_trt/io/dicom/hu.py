"""From stored values to HU, frame by frame. Source: DICOM PS3.3, C.11.1 (HU = slope × stored + intercept)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from .elements import items
from .files import Instance
from .frames import Frame
from .storage import Storage

_WHOLE = (np.int16, np.uint16, np.int32)


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
        extremes = []
        for frame in frames:
            slope, intercept = _rescale(frame)
            if not slope.is_integer() or not intercept.is_integer():
                return cls(np.dtype(np.float32))
            for stored in storages[frame.instance].extremes:
                extremes += [slope * stored, slope * stored + intercept]
        for kind in _WHOLE:
            if np.iinfo(kind).min <= min(extremes) and max(extremes) <= np.iinfo(kind).max:
                return cls(np.dtype(kind))
        return cls(np.dtype(np.float32))

    def apply(self, values: np.ndarray, frame: Frame, out: np.ndarray) -> None:
        """Write the HU of `values` to `out`, both [row, column]."""
        slope, intercept = _rescale(frame)
        if self.dtype.kind == "f":
            with np.errstate(over="ignore"):  # what is beyond float32 is refused as infinite
                out[...] = values * slope + intercept
            return
        whole_slope, whole_intercept = self.dtype.type(slope), self.dtype.type(intercept)
        if slope == 1:
            np.add(values, whole_intercept, out=out, dtype=self.dtype, casting="unsafe")
        else:
            np.multiply(values, whole_slope, out=out, dtype=self.dtype, casting="unsafe")
            out += whole_intercept


def _rescale(frame: Frame) -> tuple[float, float]:
    slope = 1.0 if frame.slope is None else frame.slope
    return slope, 0.0 if frame.intercept is None else frame.intercept
