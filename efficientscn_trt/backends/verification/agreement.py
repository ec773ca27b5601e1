"""How well the result of an engine agrees with that of the network that it was built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_SHARE = 1e-3
"""Masks and labels with a smaller share of the voxels are not judged by their Dice: a few voxels would
decide, which another order of summation may change."""


@dataclass(frozen=True)
class Limits:
    """What is allowed: the least Dice of the mask and of a label, the least share of equal voxels, and the
    largest and the mean difference of the probabilities, if limited.
    """

    mask_dice: float
    label_dice: float
    equal: float
    largest: float | None
    mean: float | None


LIMITS = {
    "fp32": Limits(mask_dice=0.998, label_dice=0.998, equal=0.9999, largest=1e-3, mean=None),
    "fp16": Limits(mask_dice=0.99, label_dice=0.98, equal=0.99, largest=0.1, mean=2e-3),
}
"""By the engine's precision. Those of fp16 are several times what float16 changes in trained networks and in
an SCN with random weights, computed on a CPU with each sum rounded: a Dice of 0.9998 of the mask and 0.993 of
a label, 0.995 of the voxels equal, differences of up to 0.017, and of 4e-4 on average."""


@dataclass(frozen=True)
class Agreement:
    """Two results of one network for one input.

    `not_finite`: how many of the `values` are NaN or infinite. `organs`: share of the voxels that are an
    organ, in the reference and in the result. `equal`: share of voxels with equal mask or label. `dice`: of
    the masks, or of the label `worst`, for which it is lowest. `largest`, `mean`: difference of the
    probabilities; None for masks.
    """

    values: int
    not_finite: int
    organs: tuple[float, float]
    equal: float
    dice: float
    worst: str | None = None
    largest: float | None = None
    mean: float | None = None

    @property
    def shows_organs(self) -> bool:
        """Whether the reference finds enough to compare."""
        return self.organs[0] >= LEAST_SHARE

    def problems(self, limits: Limits) -> list[str]:
        """A sentence on each value beyond its limit; one alone if that explains the others."""
        if self.not_finite:
            return [f"{self.not_finite:,} of {self.values:,} values are not finite"]
        expected, found = self.organs
        if self.shows_organs and not found:
            return [f"no voxel is an organ, where the network finds {100 * expected:.1f} % of the voxels"]
        least = limits.mask_dice if self.worst is None else limits.label_dice
        what = "the mask" if self.worst is None else f"the label {self.worst}"
        checks = [
            (
                self.dice >= least or not self.shows_organs,
                f"the Dice of {what} is {self.dice:.4f}, expected at least {least:g}",
            ),
            (
                self.equal >= limits.equal,
                f"{100 * self.equal:.3f} % of the voxels are equal, expected {100 * limits.equal:g} %",
            ),
            (
                _within(self.largest, limits.largest),
                f"the probabilities differ by up to {self.largest}, expected at most {limits.largest}",
            ),
            (
                _within(self.mean, limits.mean),
                f"the probabilities differ by {self.mean} on average, expected at most {limits.mean}",
            ),
        ]
        return [sentence for passed, sentence in checks if not passed]


def _within(value: float | None, limit: float | None) -> bool:
    return value is None or limit is None or value <= limit


def of_masks(reference: np.ndarray, found: np.ndarray) -> Agreement:
    """Compare two masks, bool of one shape."""
    return Agreement(
        values=found.size,
        not_finite=0,
        organs=(float(reference.mean()), float(found.mean())),
        equal=float(np.mean(reference == found)),
        dice=_dice(reference, found),
    )


def of_probabilities(reference: np.ndarray, found: np.ndarray, labels: Sequence[str]) -> Agreement:
    """Compare two results float32 [label, z, y, x]. `labels`: their names, the first is the background."""
    finite = sum(int(np.isfinite(each).sum()) for each in found)
    first, second = reference.argmax(0), found.argmax(0)
    dice = {"background": 1.0}
    for value, name in enumerate(labels):
        mask = first == value
        if mask.mean() >= LEAST_SHARE:
            dice[name] = _dice(mask, second == value)
    worst = min(dice, key=lambda name: dice[name])
    differences = [np.abs(before - after) for before, after in zip(reference, found, strict=True)]
    return Agreement(
        values=found.size,
        not_finite=found.size - finite,
        organs=(float(np.mean(first > 0)), float(np.mean(second > 0))),
        equal=float(np.mean(first == second)),
        dice=dice[worst],
        worst=worst,
        largest=max(float(each.max()) for each in differences),
        mean=float(np.mean([each.mean(dtype=np.float64) for each in differences])),
    )


def _dice(first: np.ndarray, second: np.ndarray) -> float:
    """Dice of two masks; 1 if both are empty."""
    both = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2 * int(np.count_nonzero(first & second)) / both if both else 1.0
