"""The settings that decide a training run's result, together with its cases."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from .augment import Augmentation
from .cases import ORGANS
from .prepare import SPACING_MM
from .sampling import Size

PAPER_RATE = 1e-4
QUICK_RATE = 1e-3


@dataclass(frozen=True)
class Config:
    """The defaults are the paper's (section 4.2 and Table 3), except `moving_average`, which it does not
    state. The paper trains 1,000,000 and 500,000 steps.

    `network`: localization or segmentation. `labels`: those in the label maps, from value 1, which the
    segmentation network learns one by one, and the localization network together. `spacing_mm`: spacing of
    the SCN's input.
    `decay`: of the learning rate; constant, or cosine: down to a hundredth. `warmup`: steps over which the
    learning rate rises at first.
    `gradient_norm`: gradients are scaled down to this norm; 0: never.
    `crops`: sizes (z, y, x) of random crops of the network's input, one per step; none: the whole input.
    `smallest`: labels of fewer voxels weigh as if they had this many in the generalized Dice loss.
    `balance`: how much the cross-entropies compensate for rare labels; 0: not at all, 1: fully.
    `input_deviation_hu`: start as if the input were divided by this value; 0: plain He initialization.
    """

    network: str
    steps: int
    learning_rate: float = PAPER_RATE
    labels: tuple[str, ...] = ORGANS
    spacing_mm: float = SPACING_MM
    decay: str = "constant"
    warmup: int = 0
    moving_average: float = 0.999
    dropout: float = 0.1
    gradient_norm: float = 0.0
    crops: tuple[Size, ...] = ()
    augmentation: Augmentation = field(default_factory=Augmentation)
    smallest: float = 1.0
    balance: float = 0.0
    input_deviation_hu: float = 0.0
    seed: int = 0
    device: str = "cpu"

    def rate(self, step: int) -> float:
        """Learning rate of update number `step` (from 0)."""
        rate = self.learning_rate * min(1.0, (step + 1) / (self.warmup + 1))
        if self.decay == "cosine":
            rate *= 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return rate


def paper(network: str, steps: int, learning_rate: float | None = None, **others: Any) -> Config:
    """The paper's protocol; `others` are fields of `Config`."""
    return Config(network, steps, learning_rate or PAPER_RATE, **others)


def quick_work(network: str, steps: int, learning_rate: float | None = None, **others: Any) -> Config:
    """A schedule for runs of hundreds of steps instead of hundreds of thousands; `others` are fields of
    `Config`.
    """
    config = Config(network, steps, learning_rate or QUICK_RATE, **others)
    return replace(
        config,
        decay="cosine",
        warmup=20,
        dropout=0.0,
        gradient_norm=1.0,
        # About 11 ml in voxels of 6 mm (localization), and 13 ml in voxels of the SCN's spacing.
        smallest=50.0 if network == "localization" else 12800.0 / config.spacing_mm**3,
        balance=0.5,
        input_deviation_hu=160.0,
    )
