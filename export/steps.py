"""What the export reports on each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from efficientscn_trt.triples import Size

from .compare import Difference

LEAST_AGREEMENT = 0.99
"""Least share of equal voxels without a warning. The released float16 and float32 modes agree on 0.998 or
more (docs/reference-pipeline.md)."""

_ROUNDING = 1e-2
"""How far a probability may be from 0 to 1."""

Progress = Callable[[str], None]
"""Called with a step's name as it begins."""


@dataclass(frozen=True)
class Step:
    """One step of an export.

    `before` and `after` count graph nodes. `changed` is the number of places that a pass rewrote, or None for
    a conversion. `difference` compares the outputs before and after; None where nothing changed.
    """

    name: str
    before: int
    after: int
    changed: int | None
    difference: Difference | None
    seconds: float


@dataclass(frozen=True)
class NetworkReport:
    """How the export of one network went.

    `steps`: in order. `core`: the CPU core compared with the network after the last step; None if it cannot
    run the network, because of `not_core`. `float16`: the form for TensorRT compared with the network after
    the last step. `float16_sums`: the same for a GPU that also adds in float16. `reference`: the exported
    network compared with the SavedModel, which XLA runs in its own precision. `slow`: sentences on the
    operators that no pass recognised. `input_size`: size (z, y, x) of the check. `values`: the lowest and the
    highest probability, None for a mask.
    """

    role: str
    steps: tuple[Step, ...]
    core: Step | None
    not_core: str
    float16: Step
    float16_sums: Step
    reference: Difference
    slow: tuple[str, ...]
    parameters: int
    input_size: Size
    values: tuple[float, float] | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what the user should look at."""
        sentences = []
        low, high = self.values or (0.0, 1.0)
        if low < -_ROUNDING or high > 1 + _ROUNDING:
            sentences.append(
                f"Its outputs are from {low:.3g} to {high:.3g}, expected probabilities from 0 to 1. There "
                "will be no confidence, and borders may lie elsewhere; check that the model ends with "
                "probabilities."
            )
        shares = {
            "the same as in the SavedModel at its own precision": self.reference,
            "the same in the CPU core as in the network": self.core.difference if self.core else None,
            "the same in float16 as in float32": self.float16.difference,
            "with float16 sums the same as in float32": self.float16_sums.difference,
        }
        sentences += [
            f"Only {100 * change.agreement:.2f}% of the voxels are {what}, expected "
            f"{100 * LEAST_AGREEMENT:.0f}% or more; check with your own scan (--check-input)."
            for what, change in shares.items()
            if change is not None and change.agreement < LEAST_AGREEMENT
        ]
        return tuple(sentences)

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)
