"""Plans of both stages against docs/reference-pipeline.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import core_reference as reference
from support.core_parameters import localization_parameters, segmentation_parameters

from efficientscn_trt import _core

LOCALIZATION = localization_parameters()
SEGMENTATION = segmentation_parameters()

sizes = st.tuples(*[st.integers(1, 1500)] * 3)
spacings = st.tuples(*[st.floats(0.1, 12)] * 3)


def test_parameters_are_the_released_codes() -> None:
    assert LOCALIZATION.valid_sizes == [list(range(32, 257, 16)), [32, 48, 64, 80], [32, 48, 64, 80]]
    assert SEGMENTATION.valid_sizes == [
        [32, 64, 96, 128, 160],
        [32, 64, 96, 128],
        [32, 64, 96, 128, 160],
    ]
    assert (LOCALIZATION.spacing_mm, LOCALIZATION.padding_hu, LOCALIZATION.smoothing_sigma_mm) == (
        6,
        -1024,
        0,
    )
    assert (SEGMENTATION.spacing_mm, SEGMENTATION.outside_hu, SEGMENTATION.smoothing_sigma_mm) == (2, 0, 1)
    assert (LOCALIZATION.intensity_scale, LOCALIZATION.intensity_min, LOCALIZATION.intensity_max) == (
        2048,
        -1,
        1,
    )


@given(sizes, spacings)
def test_localization_plan(size: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    plan = _core.plan_localization(size, spacing, LOCALIZATION)
    expected = reference.localization_sizes(size, spacing, LOCALIZATION.valid_sizes)
    assert plan.spacing == (expected[0],) * 3
    assert list(plan.resized_size) == expected[1]
    assert list(plan.input_size) == expected[2]
    assert plan.image_size == size
    for resized, before, after, padded in zip(
        plan.resized_size, plan.pad_before, plan.pad_after, plan.input_size, strict=True
    ):
        assert before + resized + after == padded
        assert 0 <= after - before <= 1


def test_next_size_is_strictly_larger() -> None:
    # 32 voxels at 6 mm become 48, and 31 become 32.
    plan = _core.plan_localization((32, 32, 31), (6, 6, 6), LOCALIZATION)
    assert plan.resized_size == (32, 32, 31)
    assert plan.input_size == (48, 48, 32)


def test_an_image_that_is_too_large_grows_the_spacing() -> None:
    plan = _core.plan_localization((100, 512, 400), (5, 1, 1), LOCALIZATION)
    ratio = np.ceil(512 / 6) / 80 + 0.02
    assert plan.spacing == (np.float32(6 * ratio),) * 3
    assert plan.input_size[1] == 80


def test_plans_do_not_depend_on_earlier_images() -> None:
    small = _core.plan_localization((50, 50, 50), (6, 6, 6), LOCALIZATION)
    _core.plan_localization((2000, 2000, 2000), (6, 6, 6), LOCALIZATION)
    assert _core.plan_localization((50, 50, 50), (6, 6, 6), LOCALIZATION).spacing == small.spacing


@given(sizes, spacings, st.data())
def test_box_from_mask(size: tuple[int, ...], spacing: tuple[float, ...], data: st.DataObject) -> None:
    plan = _core.plan_localization(size, spacing, LOCALIZATION)
    first = [data.draw(st.integers(0, n - 1)) for n in plan.input_size]
    last = [data.draw(st.integers(f, n - 1)) for f, n in zip(first, plan.input_size, strict=True)]
    box = _core.box_from_mask(first, last, plan, LOCALIZATION)
    mm = np.array(plan.spacing, np.float32)
    assert box.start == tuple(mm * np.float32(np.subtract(first, plan.pad_before)) - np.float32(10))
    assert box.end == tuple(mm * np.float32(np.subtract(last, plan.pad_before) + 1) + np.float32(10))


def test_whole_volume_box_is_the_padded_input() -> None:
    plan = _core.plan_localization((40, 50, 60), (6, 6, 6), LOCALIZATION)
    whole = _core.whole_volume_box(plan, LOCALIZATION)
    corners = _core.box_from_mask((0, 0, 0), [n - 1 for n in plan.input_size], plan, LOCALIZATION)
    assert (whole.start, whole.end) == (corners.start, corners.end)


@given(sizes, spacings, st.data())
def test_segmentation_plan(size: tuple[int, ...], spacing: tuple[float, ...], data: st.DataObject) -> None:
    extent = np.array(size, np.float32) * np.array(spacing, np.float32)
    start = np.array([data.draw(st.floats(-60, 0.9 * float(mm))) for mm in extent], np.float32)
    end = start + np.array([data.draw(st.floats(1, 600)) for _ in range(3)], np.float32)
    expected = reference.segmentation_crop(size, spacing, start, end, SEGMENTATION.valid_sizes)
    touches = zip(expected.crop, size, strict=True)
    assume(all(first < n and stop > 0 for (first, stop), n in touches))

    plan = _core.plan_segmentation(size, spacing, _core.Box(start.tolist(), end.tolist()), SEGMENTATION)
    assert plan.spacing == (expected.spacing,) * 3
    assert list(plan.input_size) == expected.input_size
    assert list(plan.box.start) == expected.start
    assert list(plan.box.end) == expected.end
    assert list(zip(plan.crop_start, plan.crop_stop, strict=True)) == expected.crop
    assert plan.cropped_size == tuple(stop - first for first, stop in expected.crop)
    assert plan.croppings == expected.croppings
    assert plan.paddings == expected.paddings
    assert plan.image_size == size


@pytest.mark.parametrize("start", [-5000.0, 5000.0])
def test_a_box_beside_the_image_is_all_padding(start: float) -> None:
    box = _core.Box((start, 0, 0), (start + 50, 50, 50))
    plan = _core.plan_segmentation((20, 30, 40), (2, 2, 2), box, SEGMENTATION)
    assert sum(plan.paddings[0]) == plan.cropped_size[0]
    assert min(plan.paddings[0]) >= 0
    assert sum(plan.croppings[0]) == 20


@pytest.mark.parametrize(
    ("size", "spacing", "sentence"),
    [
        ((0, 5, 5), (1, 1, 1), r"size .* found \(0, 5, 5\)"),
        ((5, 5, -3), (1, 1, 1), r"size .* found \(5, 5, -3\)"),
        ((5, 5, 5), (1, 0, 1), r"spacing .* found \(1, 0, 1\)"),
        ((5, 5, 5), (1, float("nan"), 1), r"spacing .* found \(1, nan, 1\)"),
        ((5, 5, 5), (1, float("inf"), 1), r"spacing .* found \(1, inf, 1\)"),
        ((5, 5), (1, 1, 1), r"size must be three whole numbers \(z, y, x\), found \(5, 5\)"),
        ((5, 5, 5), "abc", r"spacing must be three numbers \(z, y, x\), found 'abc'"),
        ((5, 5, 5), (1e-60, 1, 1), r"at least 0.001 mm, found \(1e-60, 1, 1\)"),
        ((5, 5, 5), (1, 1, 0.00099), r"at least 0.001 mm, found \(1, 1, 0.00099\)"),
        ((5, 5, 5), (1e300, 1, 1), "cannot be resized"),
        (np.zeros((2, 2)), (1, 1, 1), r"found array\(\[\[0., 0.\], \[0., 0.\]\]\)\."),
        ([7] * 1000, (1, 1, 1), r"found \[7, 7.{,200}\.\.\.\.$"),
    ],
)
def test_what_is_no_image_is_refused(size: Any, spacing: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _core.plan_localization(size, spacing, LOCALIZATION)


@pytest.mark.parametrize(
    ("start", "end"),
    [((0, 0, 0), (10, 0, 10)), ((0, 0, float("nan")), (10, 10, 10)), ((0, 0, 0), (1e30, 10, 10))],
)
def test_a_box_without_extent_is_refused(start: Any, end: Any) -> None:
    with pytest.raises(ValueError, match="box must end after it starts"):
        _core.plan_segmentation((50, 50, 50), (1, 1, 1), _core.Box(start, end), SEGMENTATION)


@pytest.mark.parametrize("spacing_mm", [1e-20, 1e-60])
def test_voxels_too_small_to_smooth_are_refused(spacing_mm: float) -> None:
    spacing = (1, 1, spacing_mm)
    box = _core.Box((0, 0, 0), (9, 9, 9))
    with pytest.raises(ValueError, match=r"must be finite and at least 0\.001 mm"):
        _core.plan_segmentation((5, 5, 5), spacing, box, SEGMENTATION)
    plan = _core.plan_segmentation((5, 5, 5), (1, 1, 1), box, SEGMENTATION)
    with pytest.raises(ValueError, match=r"must be finite and at least 0\.001 mm"):
        _core.segmentation_input(np.zeros((5, 5, 5), np.float32), spacing, plan, SEGMENTATION)


@pytest.mark.parametrize("axis", range(3))
def test_a_box_too_large_for_the_voxels_is_given_in_full(axis: int) -> None:
    spacing = [1.0, 1.0, 1.0]
    spacing[axis] = 0.001
    box = _core.Box((9000, 9000, 9000), (9010, 9010, 9010))
    with pytest.raises(ValueError, match=r"A box of \(8973, 8973, 8973\) to \(9037, 9037, 9037\) mm is too"):
        _core.plan_segmentation((5, 5, 5), spacing, box, SEGMENTATION)


def test_mask_corners_outside_the_input_are_refused() -> None:
    plan = _core.plan_localization((40, 50, 60), (6, 6, 6), LOCALIZATION)
    with pytest.raises(ValueError, match="mask's corners"):
        _core.box_from_mask((0, 0, 0), plan.input_size, plan, LOCALIZATION)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"spacing_mm": 0}, "spacing_mm must be a number from 0.001 to 1000, found 0"),
        ({"spacing_mm": 1e300}, r"spacing_mm must be a number from 0.001 to 1000, found 1e\+300"),
        ({"spacing_slack": -1}, "spacing_slack must be a number from 0 to 10, found -1"),
        ({"intensity_min": 2}, "intensity_min must be smaller than intensity_max, found 2 and 1"),
        ({"intensity_max": 1e38}, "intensity_max must be a number from"),
        ({"intensity_scale": float("nan")}, r"intensity_scale must be .* from 0.001 to 1e\+06, found nan"),
        ({"intensity_scale": 1e-9}, "intensity_scale must be a number from 0.001 to"),
        ({"smoothing_sigma_mm": float("inf")}, "smoothing_sigma_mm must be a number from 0 to 100"),
        ({"valid_sizes": [[32], [10**9], [32]]}, "valid_sizes must be at most 4096, found 1000000000"),
        (
            {"valid_sizes": [[32], [2**63 - 1], [32]]},
            "valid_sizes must be at most 4096, found 9223372036854775807",
        ),
        ({"valid_sizes": [[2048]] * 3}, r"must have at most 2\^30 voxels, found 8589934592"),
        ({"valid_sizes": [[32], [64, 32], [32]]}, "found 32 after 64"),
        ({"valid_sizes": [[32], [], [32]]}, "at least one size"),
        ({"valid_sizes": 3}, "valid_sizes must be three lists of sizes"),
    ],
)
@pytest.mark.parametrize("kind", [localization_parameters, segmentation_parameters])
def test_parameters_without_sense_are_refused(kind: Any, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        kind(**arguments)
