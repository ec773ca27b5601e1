"""A case as the networks see it: resampled once, then kept small on disk; augmentation samples from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .resample import apply, area_matrix, gaussian_matrix

INTENSITY_SCALE = 2048.0
# Values in [−1, 1] are kept as 16-bit integers in steps of 1/16384, an eighth of a HU.
STEP = 1.0 / 16384.0


@dataclass(frozen=True)
class PreparedCase:
    """`values` int16 in units of `STEP`, `labels` uint8, both [z, y, x]; isotropic `spacing` mm; `known`: foreground labels
    looked for; `box`: first and last + 1 voxel (z, y, x) of all labels; `outside`: value beyond the array, [−1, 1]."""

    values: NDArray[np.int16]
    labels: NDArray[np.uint8]
    spacing: float
    known: tuple[int, ...]
    outside: float

    @property
    def box(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        ranges = []
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            (hit,) = np.nonzero(self.labels.any(others))
            ranges.append((int(hit[0]), int(hit[-1]) + 1) if len(hit) else (0, self.labels.shape[axis]))
        (z0, z1), (y0, y1), (x0, x1) = ranges
        return (z0, y0, x0), (z1, y1, x1)

    def save(self, path: Path) -> None:
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with open(temporary, "wb") as file:
            np.savez(
                file,
                values=self.values,
                labels=self.labels,
                spacing=self.spacing,
                known=np.asarray(self.known, np.int64),
                outside=self.outside,
            )
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path) -> PreparedCase:
        with np.load(path) as arrays:
            return cls(
                arrays["values"],
                arrays["labels"],
                float(arrays["spacing"]),
                tuple(int(label) for label in arrays["known"]),
                float(arrays["outside"]),
            )


@dataclass(frozen=True)
class RawCase:
    """A scan along LPS axes: `hu` and `labels` [z, y, x], `spacing` mm (z, y, x), `known` foreground labels."""

    hu: NDArray[np.generic]
    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    known: tuple[int, ...]


Prepare = Callable[[RawCase], PreparedCase]


def prepare_localization(case: RawCase, padding_hu: float = -1024.0) -> PreparedCase:
    """The whole scan at 6 mm (more if it is larger than 256·80·80 such voxels), labels 1 where any organ fills half a voxel."""
    extent = [n * s for n, s in zip(case.hu.shape, case.spacing, strict=True)]
    excess = max(np.ceil(e / 6.0) / limit for e, limit in zip(extent, (256, 80, 80), strict=True)) + 0.02
    spacing = 6.0 * max(1.0, float(excess))
    count = [int(np.ceil(e / spacing)) for e in extent]
    # As inference: n voxels over the whole scan, so a shade smaller than `spacing`.
    matrices = [
        area_matrix(n, 1.0, 0.0, n / m, m) for n, m in zip(case.hu.shape, count, strict=True)
    ]
    values = np.clip(apply(matrices, case.hu) / INTENSITY_SCALE, -1, 1)
    share = apply(matrices, np.isin(case.labels, case.known))
    return PreparedCase(_quantize(values), (share >= 0.5).astype(np.uint8), spacing, (1,), padding_hu / INTENSITY_SCALE)


def prepare_segmentation(
    case: RawCase, margin_mm: float = 56.0, sigma_mm: float = 1.0, outside_hu: float = 0.0
) -> PreparedCase:
    """All labels and `margin_mm` around them at the spacing of inference (2 mm, more for a large box)."""
    low, high = _label_box(case)
    # Inference adds 10 mm on either side and then asks whether 2 mm fit (reference table, stage 2).
    ratio = max((b - a + 20.0) / limit for a, b, limit in zip(low, high, (160, 128, 160), strict=True))
    spacing = 2.0 if ratio <= 1.9 else ratio + 0.1
    matrices, smooth = [], []
    for a, b, n, s in zip(low, high, case.hu.shape, case.spacing, strict=True):
        start = max(a - margin_mm, 0.0)
        count = int(np.ceil((min(b + margin_mm, n * s) - start) / spacing))
        matrix = area_matrix(n, s, start, spacing, count)
        matrices.append(matrix)
        smooth.append(matrix @ gaussian_matrix(n, s, sigma_mm))
    hu = apply(smooth, case.hu)
    inside = np.einsum("i,j,k->ijk", *(matrix.sum(1) for matrix in smooth))
    values = np.clip((hu + (1 - inside) * outside_hu) / INTENSITY_SCALE, -1, 1)
    best = np.full(values.shape, 0.5, np.float32)
    labels = np.zeros(values.shape, np.uint8)
    # Label 0 wins ties, and wherever no label fills half a voxel unless two share it.
    background = 1.0 - sum((share := {k: apply(matrices, case.labels == k) for k in case.known}).values())
    best = np.asarray(background, np.float32)
    for label, part in share.items():
        better = part > best
        labels[better] = label
        best = np.where(better, part, best)
    return PreparedCase(_quantize(values), labels, spacing, case.known, outside_hu / INTENSITY_SCALE)


def _label_box(case: RawCase) -> tuple[Sequence[float], Sequence[float]]:
    labelled = np.isin(case.labels, case.known)
    if not labelled.any():
        raise ValueError("the case has none of its labels; leave it out, or give the labels that it has")
    low, high = [], []
    for axis, step in enumerate(case.spacing):
        (hit,) = np.nonzero(labelled.any(tuple(a for a in range(3) if a != axis)))
        low.append(float(hit[0]) * step)
        high.append(float(hit[-1] + 1) * step)
    return low, high


def _quantize(values: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.rint(values / STEP).astype(np.int16)
