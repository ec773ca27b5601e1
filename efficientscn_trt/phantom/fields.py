"""Smooth random fields: cubic B-splines with random coefficients on a lattice in body coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EXTENT_MM = 340.0  # the lattice spans ±EXTENT_MM on each axis; outside it the field is constant


class SplineField:
    """`components` smooth scalar fields with a standard deviation of about `amplitude`, wavelength about
    2·`pitch` mm.
    """

    def __init__(self, rng: np.random.Generator, components: int, pitch: float, amplitude: float) -> None:
        nodes = int(np.ceil(2 * EXTENT_MM / pitch)) + 4
        # A cubic B-spline of unit white coefficients has a standard deviation of about 0.34 in 3-D.
        values = rng.standard_normal((components, nodes, nodes, nodes)) * (amplitude / 0.34)
        self.coefficients: NDArray[np.float32] = values.astype(np.float32)
        self.pitch = pitch

    def sample(
        self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Sample the field on the grid z × y × x of coordinates in mm: float32 (components, z, y, x)."""
        field = self.coefficients
        for axis, coordinates in ((1, z), (2, y), (3, x)):
            first, weights = self._taps(coordinates)
            shape = [1, 1, 1, 1]
            shape[axis] = -1
            result = None
            for tap in range(4):
                term = np.take(field, first + tap, axis=axis) * weights[tap].reshape(shape)
                result = term if result is None else np.add(result, term, out=result)
            assert result is not None
            field = result
        return field

    def _taps(self, coordinates: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        position = (np.clip(coordinates, -EXTENT_MM, EXTENT_MM) + EXTENT_MM) / self.pitch
        first = np.minimum(np.floor(position).astype(np.intp), self.coefficients.shape[1] - 4)
        t = position - first
        weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3])
        return first, (weights / 6).astype(np.float32)
