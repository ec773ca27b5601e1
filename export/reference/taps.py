"""Weights of half-pixel upsampling.

Output o of an axis lies at input position (o + 0.5)/factor − 0.5. Each phase (o modulo factor) has fixed
weights for the inputs around it.
"""

from __future__ import annotations

from collections.abc import Callable


def _linear(x: float) -> float:
    return max(0.0, 1.0 - abs(x))


def _cubic(x: float) -> float:
    """Keys' cubic convolution kernel with A = −0.5."""
    x = abs(x)
    if x < 1.0:
        return (1.5 * x - 2.5) * x * x + 1.0
    return ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0 if x < 2.0 else 0.0


def _taps(factor: int, support: int, kernel: Callable[[float], float]) -> list[dict[int, float]]:
    """For each phase, the weight of the input at each offset; zero weights are left out."""
    phases = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]
    offsets = range(support, -support - 1, -1)
    return [{d: kernel(d - phase) for d in offsets if kernel(d - phase) != 0.0} for phase in phases]


LINEAR_TAPS = _taps(2, 1, _linear)
"""×2 linear: phases at ∓1/4 of an input voxel."""


def cubic_taps(factor: int) -> list[dict[int, float]]:
    """Cubic; for ×4, phases are at −3/8, −1/8, 1/8 and 3/8 of an input voxel."""
    return _taps(factor, 2, _cubic)
