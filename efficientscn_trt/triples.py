"""A value along each axis of a volume: (z, y, x), or (x, y, z) where the name or the docstring says so."""

from __future__ import annotations

Triple = tuple[float, float, float]
Size = tuple[int, int, int]
Slices = tuple[slice, slice, slice]
