"""How far a backend is from the trained model on one scan, and how far it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from efficientscn_trt.evaluation import dice, normalized_surface_distance
from efficientscn_trt.evaluation.cases import TOLERANCE_MM
from efficientscn_trt.pipeline.intermediate import Intermediate
from efficientscn_trt.triples import Triple

ROUNDING = {"fp16": 4.0, "bf16": 32.0}
"""How many times the trained model's own distance between float16 and float32 a precision may have: bfloat16
has three bits less than float16, and a backend may round in other places than TensorFlow does."""

LEAST_FLOOR = 1e-5
"""Mean difference of probabilities that is never too much in 16 bits."""

MASK_VOXELS = 2
MASK_SHARE = 5e-4
"""Of the mask's voxels in float32: ties that another order of summation decides otherwise."""


@dataclass(frozen=True)
class Limits:
    """`least_dice`: of every label, on every backend. `largest_difference`: of probabilities in float32."""

    least_dice: float = 0.998
    largest_difference: float = 1e-3


@dataclass(frozen=True)
class Fidelity:
    """One pair of networks against another on one scan.

    `mask_voxels` of the reference, `mask_unequal` how many differ either way. `largest` and `mean` are those
    of the differences of probabilities for one and the same input; the labels come from each one's own mask,
    and `agreement` is their share of equal voxels in the reference's box. Dice and NSD by label name.
    """

    mask_voxels: int
    mask_unequal: int
    largest: float
    mean: float
    agreement: float
    dice: dict[str, float] = field(default_factory=dict)
    nsd: dict[str, float] = field(default_factory=dict)

    def problems(self, precision: str, floor: Fidelity, limits: Limits) -> list[str]:
        """Sentences on what is beyond a limit in `precision`; `floor` is the model as saved."""
        found = []
        factor = ROUNDING.get(precision)
        allowed_mask = MASK_VOXELS + MASK_SHARE * self.mask_voxels
        if factor is not None:
            allowed_mask = max(allowed_mask, factor * floor.mask_unequal)
        if not self.mask_unequal <= allowed_mask:
            found.append(
                f"{self.mask_unequal} voxels of the mask differ, expected at most {allowed_mask:.0f}"
            )
        if factor is None:
            if not self.largest <= limits.largest_difference:
                found.append(
                    f"the probabilities differ by up to {self.largest:.1e}, expected at most "
                    f"{limits.largest_difference:.0e}"
                )
        elif not self.mean <= (allowed := factor * max(floor.mean, LEAST_FLOOR)):
            found.append(
                f"the probabilities differ by {self.mean:.1e} on average, expected at most {allowed:.1e}"
            )
        found += [
            f"the Dice of {name} is {value:.4f}, expected at least {limits.least_dice:g}"
            for name, value in self.dice.items()
            if not value >= limits.least_dice
        ]
        return found


def compare(
    reference: Intermediate,
    found: Intermediate,
    probabilities: np.ndarray,
    label_names: Mapping[int, str],
    spacing: Triple,
) -> Fidelity:
    """`found` against `reference`; `probabilities` are those of the found networks for the reference's input.

    `spacing` (z, y, x) in mm.
    """
    difference = np.abs(reference.probabilities - probabilities)
    largest = float(difference.max())
    images = [sitk.GetImageFromArray(each.labels) for each in (found, reference)]
    organs = {value: name for value, name in label_names.items() if value}
    overlap = dice(images[0], images[1], organs)
    box = reference.box
    return Fidelity(
        mask_voxels=int(np.count_nonzero(reference.mask)),
        mask_unequal=int(np.count_nonzero(reference.mask != found.mask)),
        # NaN compares as no difference by max alone; it must never pass.
        largest=float("inf") if np.isnan(largest) else largest,
        mean=float(difference.mean(dtype=np.float64)),
        agreement=float(np.mean(reference.labels[box] == found.labels[box])),
        dice={name: overlap[value] for value, name in organs.items()},
        nsd={
            name: normalized_surface_distance(
                found.labels == value, reference.labels == value, spacing, TOLERANCE_MM
            )
            for value, name in organs.items()
        },
    )
