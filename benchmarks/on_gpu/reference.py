"""Scans with the CPU's results, for a machine without the CPU backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

#: Probabilities of larger inputs are left out, because their label maps are enough for the comparison.
LARGEST_INPUT = 96 * 96 * 128

SLICES, ROWS = 120, 512


@dataclass(frozen=True)
class ReferenceScan:
    """`voxels` [z, y, x] along LPS axes with `spacing` (z, y, x) in mm, and the float32 results of the CPU.

    `mask` and `probabilities` (float16, or None) are on the networks' grids; `box` is (start, end) in mm.
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
        arrays: dict[str, Any] = {}
        if self.probabilities is not None:
            arrays["probabilities"] = self.probabilities
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


def reference_files(folder: str | Path) -> list[Path]:
    """The scans' files in `folder`, the largest last."""
    return sorted(Path(folder).glob("*.npz"), key=lambda path: path.stat().st_size)


def reference_scans(folder: str | Path) -> Iterator[ReferenceScan]:
    """The scans in `folder`, the largest last."""
    for path in reference_files(folder):
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


def timed_scan(folder: str | Path) -> ReferenceScan:
    """Return the largest scan, cut or padded with air to 512×512×120 voxels of int16.

    Its mask, box and labels are still those of the whole scan.
    """
    scan = list(reference_scans(folder))[-1]
    voxels = np.full((SLICES, ROWS, ROWS), -1000, np.int16)
    size = tuple(min(a, b) for a, b in zip(scan.voxels.shape, voxels.shape, strict=True))
    from_ = tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(scan.voxels.shape, size, strict=True))
    to = tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(voxels.shape, size, strict=True))
    voxels[to] = scan.voxels[from_]
    return replace(scan, voxels=voxels, probabilities=None)
