"""A value along each axis of a volume: (z, y, x), or (x, y, z) where the name or the docstring says so."""

from __future__ import annotations

from collections.abc import Iterable

Triple = tuple[float, float, float]
Size = tuple[int, int, int]
Slices = tuple[slice, slice, slice]


def triple(values: Iterable[float]) -> Triple:
    """Three values, of NumPy or of another library, as floats of Python."""
    first, second, third = (float(value) for value in values)
    return first, second, third
