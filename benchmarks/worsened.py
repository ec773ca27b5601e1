"""Scans made worse on purpose, with the ground truth that they then have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Worsened:
    """`image` in HU and `labels` on one grid; `kind` says what was done."""

    kind: str
    image: sitk.Image
    labels: sitk.Image


def worsened(image: sitk.Image, labels: sitk.Image, seed: int) -> Iterator[Worsened]:
    """The scan as it is, then made worse in each way. `seed` is that of the noise."""
    yield Worsened(AS_IT_IS, image, labels)
    random = np.random.default_rng(seed)
    for sd in (50, 150, 400):
        yield _with_values(f"noise, SD {sd} HU", image, labels, _noise(random, sd))
    yield _with_values("window −160 to 240 HU", image, labels, lambda hu: hu.clip(-160, 240))
    yield _with_values("window −20 to 60 HU", image, labels, lambda hu: hu.clip(-20, 60))
    yield _with_values("HU + 200", image, labels, lambda hu: hu + 200)
    yield _with_values("HU − 100", image, labels, lambda hu: hu - 100)
    yield _with_values("HU / 2", image, labels, lambda hu: hu // 2)
    yield Worsened(
        "blurred, σ 6 mm", sitk.Cast(sitk.SmoothingRecursiveGaussian(image, 6), sitk.sitkInt16), labels
    )
    middle = _middle_slice(labels)
    yield Worsened("upper half missing", image[:, :, :middle], labels[:, :, :middle])
    yield Worsened("lower half missing", image[:, :, middle:], labels[:, :, middle:])
    for kind, axis in (("upside down", 0), ("front and back swapped", 1), ("left and right swapped", 2)):
        yield Worsened(kind, _flipped(image, axis), _flipped(labels, axis))


def _noise(random: np.random.Generator, sd: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda hu: (hu + random.normal(0, sd, hu.shape)).clip(-1024, 3071)


def _with_values(
    kind: str, image: sitk.Image, labels: sitk.Image, change: Callable[[np.ndarray], np.ndarray]
) -> Worsened:
    hu = sitk.GetArrayFromImage(image).astype(np.int32)
    return Worsened(kind, _like(image, change(hu).astype(np.int16)), labels)


def _middle_slice(labels: sitk.Image) -> int:
    """The slice in the middle of all organs."""
    found = np.flatnonzero(sitk.GetArrayViewFromImage(labels).any(axis=(1, 2)))
    return int(found[0] + found[-1]) // 2


def _flipped(image: sitk.Image, axis: int) -> sitk.Image:
    """The voxels along `axis` (z, y, x) in the opposite order, in a header that says nothing of it."""
    return _like(image, np.ascontiguousarray(np.flip(sitk.GetArrayViewFromImage(image), axis)))


def _like(image: sitk.Image, array: np.ndarray) -> sitk.Image:
    made = sitk.GetImageFromArray(array)
    made.CopyInformation(image)
    return made
