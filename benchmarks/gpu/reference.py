"""What the CPU made of some scans, carried to where there is no CPU backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: Probabilities of larger inputs are left out: label maps tell enough of those.
LARGEST_INPUT = 96 * 96 * 128


@dataclass(frozen=True)
class ReferenceScan:
    """`voxels` [z, y, x] along LPS axes with `spacing` (z, y, x) in mm, and what float32 on the CPU gives.

    `mask` and `probabilities` (float16, or None) are of the networks' own grids, `box` (start, end) in mm.
    """

    name: str
    voxels: np.ndarray
    spacing: tuple[float, float, float]
    mask: np.ndarray
    box: np.ndarray
    probabilities: np.ndarray | None
    labels: np.ndarray

    def write(self, folder: Path) -> None:
        """Write `folder`/`name`.npz."""
        arrays = {"probabilities": self.probabilities} if self.probabilities is not None else {}
        np.savez_compressed(
            folder / f"{self.name}.npz",
            voxels=self.voxels,
            spacing=self.spacing,
            mask=np.packbits(self.mask),
            mask_shape=self.mask.shape,
            box=self.box,
            labels=self.labels,
            **arrays,
        )


def reference_scans(folder: str | Path) -> Iterator[ReferenceScan]:
    """The scans in `folder`, the largest last."""
    for path in sorted(Path(folder).glob("*.npz"), key=lambda path: path.stat().st_size):
        with np.load(path) as file:
            shape = tuple(file["mask_shape"])
            yield ReferenceScan(
                path.stem,
                file["voxels"],
                tuple(float(mm) for mm in file["spacing"]),  # type: ignore[arg-type]
                np.unpackbits(file["mask"])[: int(np.prod(shape))].reshape(shape).astype(bool),
                file["box"],
                file["probabilities"].astype(np.float32) if "probabilities" in file else None,
                file["labels"],
            )
