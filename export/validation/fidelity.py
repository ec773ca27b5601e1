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
"""Allowed difference of a precision, as a multiple of the trained model's own difference between float16 and
float32. A backend may round in other places than TensorFlow does, and bfloat16 has three bits fewer."""

LEAST_FLOOR = 1e-5
"""Least value that counts as the trained model's own mean difference of probabilities."""

MASK_VOXELS = 2
MASK_SHARE = 5e-4
"""MASK_VOXELS plus this share of the mask's voxels may differ in every precision, because another order of
summation decides ties differently."""


@dataclass(frozen=True)
class Limits:
    """What is allowed on every backend.

    `least_dice`: smallest Dice of any label. `largest_difference`: of the probabilities, in float32.
    """

    least_dice: float = 0.998
    largest_difference: float = 1e-3


@dataclass(frozen=True)
class Fidelity:
    """One pair of networks compared with a reference pair on one scan.

    `mask_voxels`: voxels of the reference's mask; `mask_unequal`: voxels where the two masks differ.
    `largest` and `mean`: difference of the probabilities that both pairs compute from the same input.
    `agreement`: share of voxels with equal labels in the reference's region of interest. `dice` and `nsd`: by
    label name. The labels of each pair come from its own mask.
    """

    mask_voxels: int
    mask_unequal: int
    largest: float
    mean: float
    agreement: float
    dice: dict[str, float] = field(default_factory=dict)
    nsd: dict[str, float] = field(default_factory=dict)

    def problems(self, precision: str, floor: Fidelity, limits: Limits) -> list[str]:
        """Return a sentence on each value beyond its limit in `precision`; `floor`: the model as saved."""
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
    """Compare `found` with `reference`.

    `probabilities`: of the found networks, for the reference's input. `spacing`: (z, y, x) in mm.
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
        # Every comparison with NaN is false; infinity exceeds every limit.
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
