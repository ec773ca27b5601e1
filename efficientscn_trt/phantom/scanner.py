"""The effects of a scanner on an image: blur within the slice, and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scanner:
    """`blur_mm` is the standard deviation of the point spread function within a slice, `noise_hu` that of the
    noise. The noise is correlated within the slice over `noise_blur` voxels.
    """

    blur_mm: float
    noise_hu: float
    noise_blur: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Scanner:
        """Draw a scanner: from sharp to soft, with little to much noise."""
        u = rng.uniform
        noise_hu, noise_blur = float(u(4, 24)), float(u(0.0, 1.0))
        return cls(float(u(0.4, 1.2)), noise_hu, noise_blur)

    def acquire(
        self, truth: NDArray[np.float32], spacing_xy: tuple[float, float], rng: np.random.Generator
    ) -> NDArray[np.int16]:
        """A slice [y, x] of true HU as this scanner images it."""
        image, noise = truth, rng.standard_normal(truth.shape, np.float32)
        grain = _gaussian_side(self.noise_blur)
        for axis, step in ((1, spacing_xy[0]), (0, spacing_xy[1])):
            image = _smooth(image, axis, _gaussian_side(self.blur_mm / step))
            noise = _smooth(noise, axis, grain)
        # The share of the noise's standard deviation that the two smoothings leave.
        left = float(grain[0] ** 2 + 2 * (grain[1:] ** 2).sum())
        image = image + noise * np.float32(self.noise_hu / left)
        return np.clip(np.rint(image), -1024, 3071).astype(np.int16)


def _gaussian_side(sigma: float) -> NDArray[np.float32]:
    """The middle and one side of a Gaussian of `sigma` voxels, whose two sides and middle sum to 1."""
    radius = min(int(np.ceil(3 * sigma)), 12)
    if radius == 0:
        return np.ones(1, np.float32)
    taps = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    return (taps / (taps[0] + 2 * taps[1:].sum())).astype(np.float32)


def _smooth(image: NDArray[np.float32], axis: int, taps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Filter symmetrically along one axis, with the edge repeated.

    `taps[k]` is the weight of the two voxels at distance k.
    """
    radius = len(taps) - 1
    if radius == 0:
        return image
    padded = np.pad(image, [(radius, radius) if a == axis else (0, 0) for a in range(2)], mode="edge")
    n = image.shape[axis]

    def part(offset: int) -> NDArray[np.float32]:
        return padded[offset : offset + n] if axis == 0 else padded[:, offset : offset + n]

    result = part(radius) * taps[0]
    for k in range(1, radius + 1):
        result += (part(radius - k) + part(radius + k)) * taps[k]
    return result
