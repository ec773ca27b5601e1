"""All that the seed of a phantom decides, independent of the grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import Organ, Tissue, Trunk, draw_organs
from .fields import SplineField
from .scanner import Scanner


@dataclass(frozen=True)
class Body:
    """One patient on the table: tissues, shape and pose (`scale`, `angles` in radians), deformation, distance
    of the `table` below the back (mm; None for no table), `scanner`, and `origin`, the position of the
    image's centre in mm.
    """

    tissue: Tissue
    trunk: Trunk
    organs: list[Organ]
    scale: float
    angles: tuple[float, float, float]
    coarse: SplineField
    fine: SplineField
    texture: SplineField
    scanner: Scanner
    table: float | None
    origin: tuple[float, float, float]

    @classmethod
    def draw(cls, seed: int) -> Body:
        """Draw the body of `seed`."""
        rng = np.random.default_rng([seed, 0])
        tissue = Tissue.draw(rng)
        return cls(
            tissue=tissue,
            trunk=Trunk.draw(rng),
            organs=draw_organs(rng, tissue),
            scale=float(rng.uniform(0.86, 1.06)),
            angles=(
                float(rng.uniform(-0.06, 0.06)),
                float(rng.uniform(-0.06, 0.06)),
                float(rng.uniform(-0.1, 0.1)),
            ),
            coarse=SplineField(rng, 3, pitch=60.0, amplitude=float(rng.uniform(2.5, 5.5))),
            fine=SplineField(rng, 3, pitch=24.0, amplitude=float(rng.uniform(0.5, 1.4))),
            texture=SplineField(rng, 1, pitch=11.0, amplitude=1.0),
            scanner=Scanner.draw(rng),
            table=float(rng.uniform(8, 30)) if rng.random() < 0.8 else None,
            origin=(float(rng.uniform(-60, 60)), float(rng.uniform(-60, 60)), float(rng.uniform(-900, 200))),
        )
