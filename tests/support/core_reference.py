"""The core's results in plain NumPy and SciPy, written from docs/reference-pipeline.md alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

F32 = np.float32
Floats = NDArray[np.floating[Any]]


def valid_size(size: int, valid_sizes: Sequence[int]) -> int:
    """The smallest valid size strictly larger than `size`, else the largest."""
    return min((valid for valid in valid_sizes if valid > size), default=valid_sizes[-1])


def localization_sizes(
    size: tuple[int, ...],
    spacing: tuple[float, ...],
    valid_sizes: Sequence[Sequence[int]],
    spacing_mm: float = 6.0,
    slack: float = 0.02,
) -> tuple[np.float32, list[int], list[int]]:
    """Spacing, resized size and input size of stage 1."""
    ratio = max(
        math.ceil(n * mm / spacing_mm) / valid[-1]
        for n, mm, valid in zip(size, spacing, valid_sizes, strict=True)
    )
    ratio += slack
    new_spacing = F32(spacing_mm * ratio if ratio > 1 else spacing_mm)
    resized = [math.ceil(F32(n) * F32(mm) / new_spacing) for n, mm in zip(size, spacing, strict=True)]
    padded = [valid_size(n, valid) for n, valid in zip(resized, valid_sizes, strict=True)]
    return new_spacing, resized, padded


@dataclass
class Crop:
    """The crop of an image for stage 2, (z, y, x)."""

    spacing: np.float32
    input_size: list[int]
    start: list[np.float32]
    end: list[np.float32]
    crop: list[tuple[int, int]]
    croppings: list[tuple[int, int]]
    paddings: list[tuple[int, int]]


def segmentation_crop(
    size: tuple[int, ...],
    spacing: tuple[float, ...],
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    valid_sizes: Sequence[Sequence[int]],
    spacing_mm: float = 2.0,
    threshold: float = 1.9,
    slack: float = 0.1,
) -> Crop:
    """Stage 2 for a box that touches the image."""
    needed = float(max((end - start) / np.array([valid[-1] for valid in valid_sizes], F32)))
    new_spacing = F32(spacing_mm if needed <= threshold else needed + slack)
    crop = Crop(new_spacing, [], [], [], [], [], [])
    for axis in range(3):
        extent = int(np.ceil(end[axis] - start[axis]) / new_spacing)
        n = valid_size(extent, valid_sizes[axis])
        centre = (start[axis] + end[axis]) * F32(0.5)
        half = np.floor(F32(n) * new_spacing / F32(2))
        crop.input_size.append(n)
        crop.start.append(centre - half)
        crop.end.append(centre + half)
        first = math.floor(crop.start[-1] / F32(spacing[axis]))
        stop = math.ceil((crop.end[-1] + F32(1)) / F32(spacing[axis]))
        crop.crop.append((first, stop))
        inner_first, inner_stop = max(first, 0), min(stop, size[axis])
        crop.croppings.append((inner_first, size[axis] - inner_stop))
        crop.paddings.append((inner_first - first, stop - inner_stop))
    return crop


def area_matrix(n: int, m: int) -> Floats:
    """Weights [m, n] of an area resize from n to m voxels, edges in float32."""
    scale = F32(n) / F32(m)
    weights = np.zeros((m, n))
    for o in range(m):
        start, end = F32(o) * scale, F32(o + 1) * scale
        for i in range(math.floor(start), math.ceil(end)):
            overlap = scale if i < start and i + 1 > end else min(end, F32(i + 1)) - max(start, F32(i))
            weights[o, min(i, n - 1)] += overlap / scale
    return weights


def along_axes(image: Floats, matrices: list[Floats]) -> Floats:
    """Each axis of `image` multiplied by its matrix."""
    for axis, matrix in enumerate(matrices):
        image = np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis)
    return image


def smoothed(image: Floats, sigma_mm: float, spacing: tuple[float, ...]) -> Floats:
    """Gaussian smoothing, mirrored at the edges."""
    for axis, mm in enumerate(spacing):
        sigma = F32(sigma_mm) / F32(mm)
        if sigma < 1e-3:  # SciPy divides by its square
            continue
        radius = math.ceil(sigma * F32(4) + F32(0.5))
        image = ndimage.gaussian_filter1d(image, float(sigma), axis=axis, mode="reflect", radius=radius)
    return image


@dataclass(frozen=True)
class Intensity:
    """Network intensities; by default, of the released code."""

    scale: float = 2048
    least: float = -1
    most: float = 1

    def __call__(self, hu: Floats) -> Floats:
        return np.clip(hu / self.scale, self.least, self.most)


def localization_input(
    volume: NDArray[Any],
    spacing: tuple[float, ...],
    sizes: tuple[Any, list[int], list[int]],
    sigma_mm: float,
    padding_hu: float = -1024,
    intensity: Intensity = Intensity(),
) -> Floats:
    """Stage 1's network input."""
    _, resized, padded = sizes
    image = smoothed(volume.astype(np.float64), sigma_mm, spacing)
    image = along_axes(image, [area_matrix(n, m) for n, m in zip(volume.shape, resized, strict=True)])
    before = [(m - n) // 2 for n, m in zip(resized, padded, strict=True)]
    margins = [(b, m - n - b) for b, n, m in zip(before, resized, padded, strict=True)]
    return intensity(np.pad(image, margins, constant_values=padding_hu))


def segmentation_input(
    volume: NDArray[Any],
    spacing: tuple[float, ...],
    crop: list[tuple[int, int]],
    input_size: Sequence[int],
    sigma_mm: float,
    outside_hu: float,
    intensity: Intensity = Intensity(),
) -> Floats:
    """Stage 2's network input; `crop` in voxels before it is cut at the image."""
    image = smoothed(volume.astype(np.float64), sigma_mm, spacing)
    inner = [(max(first, 0), min(stop, n)) for (first, stop), n in zip(crop, volume.shape, strict=True)]
    margins = [(i[0] - c[0], c[1] - i[1]) for i, c in zip(inner, crop, strict=True)]
    image = np.pad(image[tuple(slice(*pair) for pair in inner)], margins, constant_values=outside_hu)
    return intensity(
        along_axes(image, [area_matrix(n, m) for n, m in zip(image.shape, input_size, strict=True)])
    )


def linear_taps(n: int, m: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Left and right neighbour and the right one's weight, float32 as in the released code."""
    position = (np.arange(m, dtype=F32) + F32(0.5)) * (F32(n) / F32(m)) - F32(0.5)
    base = np.floor(position)
    left = base.astype(np.intp)
    return left.clip(0, n - 1), (left + 1).clip(0, n - 1), position - base


def first_largest(values: Floats) -> NDArray[np.uint8]:
    """The first index along axis 0 with the largest value. Nothing exceeds NaN, and NaN exceeds nothing."""
    largest, first = values[0], np.zeros(values.shape[1:], np.uint8)
    for index in range(1, len(values)):
        leads = values[index] > largest
        largest, first = np.where(leads, values[index], largest), np.where(leads, index, first)
    return first.astype(np.uint8)


def labels(
    probabilities: NDArray[np.float32],
    image_size: tuple[int, ...],
    cropped_size: tuple[int, ...],
    croppings: list[tuple[int, int]],
    paddings: list[tuple[int, int]],
) -> NDArray[np.uint8]:
    """The label map: linear resize, argmax, padding removed, pasted into zeros."""
    values = probabilities
    # y first, then z, then x: the order decides the last bit, and so the label where two nearly tie.
    for axis in (1, 0, 2):
        left, right, weight = linear_taps(probabilities.shape[axis + 1], cropped_size[axis])
        weight = weight.reshape([-1 if i == axis else 1 for i in range(3)])
        values = values.take(left, axis + 1) * (F32(1) - weight) + values.take(right, axis + 1) * weight
    inside = tuple(slice(b, n - a) for (b, a), n in zip(paddings, cropped_size, strict=True))
    image = np.zeros(image_size, np.uint8)
    target = tuple(slice(b, n - a) for (b, a), n in zip(croppings, image_size, strict=True))
    image[target] = first_largest(values)[inside]
    return image


def every_view(array: NDArray[Any]) -> list[NDArray[Any]]:
    """Return views equal to `array`, in every axis order and with every flip in memory, and one with gaps."""
    views = []
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            stored = np.ascontiguousarray(array.transpose(order)[tuple(slice(None, None, f) for f in flips)])
            views.append(stored[tuple(slice(None, None, f) for f in flips)].transpose(np.argsort(order)))
    gaps = np.zeros([2 * n for n in array.shape], array.dtype)
    gaps[::2, ::2, ::2] = array
    views.append(gaps[::2, ::2, ::2])
    return views
