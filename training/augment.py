"""Random transformation of a case while its input is sampled: translation, rotation, scale, elastic
deformation (paper, section 4.2), and intensity shift, scale and noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from efficientscn_trt.triples import Size

from .prepare import STEP, PreparedCase


@dataclass(frozen=True)
class Augmentation:
    """Half-widths of the uniform distributions that a transformation is drawn from.

    `noise_hu` and `elastic_mm` bound standard deviations; `elastic_pitch_mm` is the distance of the spline's
    nodes. `share` of the samples are transformed in space; the intensities of all samples are changed.
    """

    share: float = 0.75
    translation_mm: float = 10.0
    rotation_degrees: float = 10.0
    scale: float = 0.12
    elastic_mm: float = 6.0
    elastic_pitch_mm: float = 50.0
    intensity_shift_hu: float = 20.0
    intensity_scale: float = 0.1
    noise_hu: float = 0.0


STRENGTHS = {
    "none": Augmentation(0.0, intensity_shift_hu=0.0, intensity_scale=0.0),
    "usual": Augmentation(),
    "strong": Augmentation(0.9, 20.0, 15.0, 0.2, 12.0, 50.0, 30.0, 0.15, 20.0),
}


def sample(
    case: PreparedCase,
    center: NDArray[np.float64],
    size: Size,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Input float32 (1, 1, z, y, x) and labels uint8 (1, z, y, x) of `size` voxels around `center`.

    `center`: (z, y, x) in voxels of the case, 0 at the first voxel's outer edge. A sample that is
    not transformed in space has the case's own voxels, and only their intensities are changed.
    """
    start = np.round(center - np.asarray(size) / 2).astype(int)
    if rng.random() >= augmentation.share:
        image, labels = _slice(case, start, size)
    else:
        image, labels = _transformed(case, start, size, augmentation, rng)
    gain = 1.0 + rng.uniform(-1, 1) * augmentation.intensity_scale
    shift = rng.uniform(-1, 1) * augmentation.intensity_shift_hu / 2048.0
    image = image * gain + shift
    if augmentation.noise_hu > 0:
        sigma = rng.uniform(0, augmentation.noise_hu) / 2048.0
        image = image + torch.from_numpy(rng.standard_normal(size, np.float32)) * sigma
    return image.clamp(-1, 1)[None, None], labels[None]


def _slice(case: PreparedCase, start: NDArray[np.int_], size: Size) -> tuple[Tensor, Tensor]:
    image = np.full(size, case.outside, np.float32)
    labels = np.zeros(size, np.uint8)
    source, target = [], []
    for first, count, available in zip(start, size, case.values.shape, strict=True):
        low, high = max(first, 0), min(first + count, available)
        source.append(slice(low, max(low, high)))
        target.append(slice(low - first, max(low, high) - first))
    image[tuple(target)] = case.values[tuple(source)].astype(np.float32) * np.float32(STEP)
    labels[tuple(target)] = case.labels[tuple(source)]
    return torch.from_numpy(image), torch.from_numpy(labels)


def _transformed(
    case: PreparedCase,
    start: NDArray[np.int_],
    size: Size,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    pitch = augmentation.elastic_pitch_mm / case.spacing
    middle = start + np.asarray(size) / 2
    # Only the part of the case that the sample can reach is converted.
    reach = 0.6 * np.linalg.norm(size) * (1 + augmentation.scale) + 3 * augmentation.elastic_mm / case.spacing
    reach += augmentation.translation_mm / case.spacing
    low = np.maximum(np.floor(middle - reach).astype(int), 0)
    high = np.minimum(np.ceil(middle + reach).astype(int), case.values.shape)
    if (high <= low).any():
        return _slice(case, start, size)
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    extent = high - low

    matrix = _rotation(rng, augmentation.rotation_degrees) * (1 + rng.uniform(-1, 1) * augmentation.scale)
    matrix = matrix * (1 + rng.uniform(-1, 1, 3) * augmentation.scale / 2)
    translation = rng.uniform(-1, 1, 3) * augmentation.translation_mm / case.spacing
    # Voxel centres of the sample → voxels of `part`: an affine map in normalized coordinates (x, y, z).
    half_in, half_out = extent / 2, np.asarray(size) / 2
    offset = middle + translation - low - half_in
    theta = (matrix * half_out[None, :]) / half_in[:, None]
    theta = np.concatenate([theta, (offset / half_in)[:, None]], 1)
    theta = theta[::-1][:, [2, 1, 0, 3]].copy()
    grid = F.affine_grid(torch.from_numpy(theta).float()[None], [1, 1, *size], align_corners=False)
    if augmentation.elastic_mm > 0:
        nodes = [int(np.ceil(n / pitch)) + 3 for n in size]
        strength = rng.uniform(0, 1) * augmentation.elastic_mm / case.spacing
        control = rng.standard_normal((1, 3, *nodes), np.float32) * (
            strength / half_in[::-1].astype(np.float32)
        )[None, :, None, None, None].astype(np.float32)
        shift = _spline_upsample(torch.from_numpy(control), size)
        grid = grid + shift.permute(0, 2, 3, 4, 1)
    # Subtracted here and added again below, so that the zeros beyond the case become `outside`.
    image = torch.from_numpy(
        case.values[part].astype(np.float32) * np.float32(STEP) - np.float32(case.outside)
    )
    labels = torch.from_numpy(case.labels[part].astype(np.float32))
    image = F.grid_sample(image[None, None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    labels = F.grid_sample(
        labels[None, None], grid, mode="nearest", padding_mode="zeros", align_corners=False
    )
    return image[0, 0] + case.outside, labels[0, 0].to(torch.uint8)


def _rotation(rng: np.random.Generator, degrees: float) -> NDArray[np.float64]:
    matrix = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(rng.uniform(-1, 1, 3) * degrees)):
        a, b = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[[a, a, b, b], [a, b, a, b]] = [np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)]
        matrix = matrix @ turn
    return matrix


def _spline_upsample(control: Tensor, size: Size) -> Tensor:
    """Cubic B-spline with coefficients (1, c, nz, ny, nx) evaluated on `size` voxels."""
    for axis, count in enumerate(size, start=2):
        nodes = control.shape[axis]
        position = torch.linspace(0, nodes - 3 - 1e-4, count)
        first = position.floor()
        t = position - first
        weights = (
            torch.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
        )
        matrix = torch.zeros(count, nodes)
        matrix.scatter_(1, first.long()[:, None] + torch.arange(4)[None], weights.T.contiguous())
        control = torch.movedim(torch.movedim(control, axis, -1) @ matrix.T, -1, axis)
    return control
