"""From stored values to HU: HU = slope × stored + intercept."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_WHOLE = (np.int16, np.uint16, np.int32)

#: Slope, intercept, and the extremes of what can be stored.
Scale = tuple[float, float, tuple[int, int]]


def hu_dtype(scales: Iterable[Scale]) -> np.dtype:
    """The smallest dtype of whole numbers that holds all HU of these scales, else float32."""
    reached: list[float] = []
    for slope, intercept, extremes in scales:
        if not slope.is_integer() or not intercept.is_integer():
            return np.dtype(np.float32)
        for stored in extremes:
            reached += [slope * stored, slope * stored + intercept]
    for kind in _WHOLE:
        if np.iinfo(kind).min <= min(reached) and max(reached) <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.float32)


def rescale(stored: np.ndarray, slope: float, intercept: float, out: np.ndarray) -> None:
    """Write the HU of `stored` to `out`, whose dtype is that of `hu_dtype`."""
    if out.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):  # beyond float32 counts as infinite
            out[...] = np.multiply(stored, slope, dtype=np.float64) + intercept
        return
    kind = out.dtype
    whole_slope, whole_intercept = kind.type(slope), kind.type(intercept)
    if slope == 1:
        np.add(stored, whole_intercept, out=out, dtype=kind, casting="unsafe")
    else:
        np.multiply(stored, whole_slope, out=out, dtype=kind, casting="unsafe")
        out += whole_intercept
