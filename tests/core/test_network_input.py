"""The networks' inputs against NumPy and SciPy, for any size, spacing, voxel type and memory order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import DTypeLike, NDArray
from support import core_reference as reference
from support.core_parameters import localization_parameters, segmentation_parameters

from efficientscn_trt import _core

DTYPES = (np.int16, np.uint8, np.uint16, np.int32, np.float32)
LOCALIZATION = localization_parameters()
SEGMENTATION = segmentation_parameters()

sizes = st.tuples(*[st.integers(1, 41)] * 3)
spacings = st.tuples(*[st.floats(0.4, 7)] * 3)
dtypes = st.sampled_from(DTYPES)
sigmas = st.sampled_from([0.0, 1.0, 3.0])


def random_volume(size: tuple[int, ...], dtype: DTypeLike, seed: int = 0) -> NDArray[Any]:
    low = 0 if np.dtype(dtype).kind == "u" else -1024
    values = np.random.default_rng(seed).uniform(low, min(1500, 255 if dtype == np.uint8 else 1500), size)
    return values.astype(dtype)


@given(sizes, spacings, dtypes, sigmas, st.integers(0, 2**16))
@settings(max_examples=60)
def test_localization_input(
    size: tuple[int, ...], spacing: tuple[float, ...], dtype: DTypeLike, sigma: float, seed: int
) -> None:
    parameters = localization_parameters(smoothing_sigma_mm=sigma)
    volume = random_volume(size, dtype, seed)
    plan = _core.plan_localization(size, spacing, parameters)
    image = _core.localization_input(volume, plan, parameters)
    expected = reference.localization_input(
        volume, spacing, reference.localization_sizes(size, spacing, parameters.valid_sizes), sigma
    )
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, expected, rtol=0, atol=2e-6)


@given(sizes, spacings, dtypes, sigmas, st.sampled_from([0.0, -1024.0]), st.integers(0, 2**16), st.data())
@settings(max_examples=60)
def test_segmentation_input(
    size: tuple[int, ...],
    spacing: tuple[float, ...],
    dtype: DTypeLike,
    sigma: float,
    outside: float,
    seed: int,
    data: st.DataObject,
) -> None:
    parameters = segmentation_parameters(
        smoothing_sigma_mm=sigma, outside_hu=outside, valid_sizes=[[8, 16, 24], [8, 24], [4, 12, 20]]
    )
    volume = random_volume(size, dtype, seed)
    start = [data.draw(st.floats(-30, 0.9 * n * mm)) for n, mm in zip(size, spacing, strict=True)]
    end = [mm + data.draw(st.floats(2, 60)) for mm in start]
    plan = _core.plan_segmentation(size, spacing, _core.Box(start, end), parameters)
    crop = list(zip(plan.crop_start, plan.crop_stop, strict=True))
    assume(all(first < n and stop > 0 for (first, stop), n in zip(crop, size, strict=True)))
    image = _core.segmentation_input(volume, spacing, plan, parameters)
    expected = reference.segmentation_input(volume, spacing, crop, plan.input_size, sigma, outside)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, expected, rtol=0, atol=5e-6)


def test_area_resize_by_hand() -> None:
    # From 4 to 6 voxels: 0, 1, 2, 3 become 0, 0.5, 1, 2, 2.5, 3.
    volume = np.broadcast_to(np.array([0, 1, 2, 3], np.float32) * 100, (1, 1, 4)).copy()
    parameters = localization_parameters(intensity_scale=100, intensity_max=1000)
    plan = _core.plan_localization(volume.shape, (6, 6, 9), parameters)
    image = _core.localization_input(volume, plan, parameters)
    z, y, x = plan.pad_before
    np.testing.assert_allclose(image[z, y, x : x + 6], [0, 0.5, 1, 2, 2.5, 3], atol=1e-6)


def test_padding_is_exactly_minus_a_half() -> None:
    volume = random_volume((20, 30, 25), np.int16)
    plan = _core.plan_localization(volume.shape, (6, 6, 6), LOCALIZATION)
    image = _core.localization_input(volume, plan, LOCALIZATION)
    (z, y, x), (dz, dy, dx) = plan.pad_before, plan.resized_size
    padding = np.ones(image.shape, bool)
    padding[z : z + dz, y : y + dy, x : x + dx] = False
    assert np.all(image[padding] == -0.5)


@pytest.mark.parametrize("axis", range(3))
def test_a_box_beside_the_image_is_outside_everywhere(axis: int) -> None:
    parameters = segmentation_parameters(outside_hu=-1024)
    volume = random_volume((20, 30, 25), np.int16)
    start = [500 if other == axis else 0 for other in range(3)]
    box = _core.Box(start, [mm + 20 for mm in start])
    plan = _core.plan_segmentation(volume.shape, (1, 1, 1), box, parameters)
    for view in reference.every_view(volume):
        assert np.all(_core.segmentation_input(view, (1, 1, 1), plan, parameters) == -0.5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_memory_order_gives_the_same_to_the_last_bit(dtype: DTypeLike) -> None:
    spacing = (2.5, 0.9, 1.7)
    volume = random_volume((21, 67, 43), dtype)
    localization = _core.plan_localization(volume.shape, spacing, LOCALIZATION)
    box = _core.Box((-20, 8, 5), (45, 50, 80))
    segmentation = _core.plan_segmentation(volume.shape, spacing, box, SEGMENTATION)
    first = _core.localization_input(volume, localization, LOCALIZATION)
    second = _core.segmentation_input(volume, spacing, segmentation, SEGMENTATION)
    for view in reference.every_view(volume):
        before = view.copy()
        np.testing.assert_array_equal(_core.localization_input(view, localization, LOCALIZATION), first)
        np.testing.assert_array_equal(
            _core.segmentation_input(view, spacing, segmentation, SEGMENTATION), second
        )
        np.testing.assert_array_equal(view, before)


def test_a_repeated_slice_can_be_read() -> None:
    volume = np.broadcast_to(random_volume((1, 40, 30), np.int16), (10, 40, 30))
    plan = _core.plan_localization(volume.shape, (5, 2, 2), LOCALIZATION)
    np.testing.assert_array_equal(
        _core.localization_input(volume, plan, LOCALIZATION),
        _core.localization_input(volume.copy(), plan, LOCALIZATION),
    )


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_any_number_of_threads_gives_the_same(threads: int) -> None:
    volume = random_volume((30, 61, 52), np.int16)
    spacing = (3.0, 1.1, 1.2)
    localization = _core.plan_localization(volume.shape, spacing, LOCALIZATION)
    box = _core.Box((0, 0, 0), (60, 60, 60))
    segmentation = _core.plan_segmentation(volume.shape, spacing, box, SEGMENTATION)
    np.testing.assert_array_equal(
        _core.localization_input(volume, localization, LOCALIZATION, threads=threads),
        _core.localization_input(volume, localization, LOCALIZATION),
    )
    np.testing.assert_array_equal(
        _core.segmentation_input(volume, spacing, segmentation, SEGMENTATION, threads=threads),
        _core.segmentation_input(volume, spacing, segmentation, SEGMENTATION),
    )


def test_intensity_limits() -> None:
    volume = np.full((10, 10, 10), 30000, np.int16)
    volume[:, :5] = -30000
    parameters = localization_parameters(intensity_min=-0.75, intensity_max=0.25)
    plan = _core.plan_localization(volume.shape, (6, 6, 6), parameters)
    image = _core.localization_input(volume, plan, parameters)
    assert (image.min(), image.max()) == (-0.75, 0.25)


def test_a_plan_for_another_size_is_refused() -> None:
    volume = random_volume((20, 30, 25), np.int16)
    plan = _core.plan_localization((20, 30, 26), (1, 1, 1), LOCALIZATION)
    with pytest.raises(ValueError, match=r"size \(20, 30, 25\) but the plan was made for \(20, 30, 26\)"):
        _core.localization_input(volume, plan, LOCALIZATION)
    crop = _core.plan_segmentation((20, 30, 26), (1, 1, 1), _core.Box((0, 0, 0), (9, 9, 9)), SEGMENTATION)
    with pytest.raises(ValueError, match="plan again for this volume"):
        _core.segmentation_input(volume, (1, 1, 1), crop, SEGMENTATION)
