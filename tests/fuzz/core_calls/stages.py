"""From a scan to the inputs of the networks, and from probabilities to labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from support import core_reference as reference

from efficientscn_trt import _core
from fuzz import mutation
from fuzz.choices import SCAN_TYPES, Choices
from fuzz.core_calls.outcomes import LARGE, in_place, result_of
from fuzz.scans import check_sentence

_WIDE_SIGMA = 50.0  # voxels; the rounding of thousands of weights adds up
_MOST_CROPPED = 60_000


def value_summary(choices: Choices) -> None:
    volume, threads = choices.array(choices.size(), SCAN_TYPES), choices.threads()
    valid = in_place(volume, SCAN_TYPES) and threads >= 0
    found = result_of(lambda: _core.value_summary(volume, threads), valid)
    if found is None:
        return
    values = np.array(volume)
    finite = values[np.isfinite(values)]
    assert found.nonfinite == values.size - finite.size
    assert found.low == (finite.min() if finite.size else math.inf)
    assert found.high == (finite.max() if finite.size else -math.inf)
    edges = [-np.inf, *found.edges.tolist(), np.inf]
    np.testing.assert_array_equal(found.counts, np.histogram(finite.astype(np.float64), edges)[0])


def mask_box(choices: Choices) -> None:
    mask = choices.array(choices.size(), ("|b1", "|u1"))
    valid = in_place(mask, ("|b1", "|u1"))
    found = result_of(lambda: [_core.mask_box(mask)], valid)
    if found is not None:
        inside = np.argwhere(np.array(mask).view(np.uint8))
        expected = (tuple(inside.min(axis=0)), tuple(inside.max(axis=0))) if len(inside) else None
        assert found == [expected]


def localization(choices: Choices) -> None:
    parameters = localization_parameters(choices)
    if parameters is None:
        return
    size, spacing = choices.size(), choices.spacing()
    if choices.once_in(6):
        size = tuple(choices.of([n, *mutation.WHOLE, 1500, 1 << 24]) for n in size)
    size, spacing = choices.triple(size), choices.triple(spacing)
    plan = result_of(lambda: _core.plan_localization(size, spacing, parameters))
    if plan is None:
        return
    size, spacing = tuple(map(int, size)), tuple(map(float, spacing))
    usual = (parameters.spacing_mm, parameters.spacing_slack)
    sizes = reference.localization_sizes(size, spacing, parameters.valid_sizes, *usual)
    assert (plan.spacing, plan.image_size) == ((sizes[0],) * 3, size)
    assert [list(plan.resized_size), list(plan.input_size)] == [*sizes[1:]]
    padded = zip(plan.pad_before, plan.resized_size, plan.pad_after, plan.input_size, strict=True)
    assert all(before + n + after == m and 0 <= after - before <= 1 for before, n, after, m in padded)
    check_sentence(repr(plan))
    mask_corners(choices, plan, parameters)
    if math.prod(size) > _MOST_CROPPED:
        return

    volume, threads = choices.array(size, SCAN_TYPES), choices.threads()
    valid = in_place(volume, SCAN_TYPES) and volume.shape == size and threads >= 0
    image = result_of(lambda: _core.localization_input(volume, plan, parameters, threads), valid)
    if image is not None:
        check_input(
            image,
            volume,
            spacing,
            parameters,
            parameters.padding_hu,
            lambda values, intensity: reference.localization_input(
                values, spacing, sizes, parameters.smoothing_sigma_mm, parameters.padding_hu, intensity
            ),
        )


def mask_corners(choices: Choices, plan: _core.LocalizationPlan, parameters: Any) -> None:
    """The box around a mask in the plan's input."""
    first = [choices.of([0, n - 1, n // 2, *mutation.WHOLE]) for n in plan.input_size]
    last = [choices.of([n - 1, n - 1, n // 2, *mutation.WHOLE]) for n in plan.input_size]
    valid = all(0 <= f <= t < n for f, t, n in zip(first, last, plan.input_size, strict=True))
    box = result_of(lambda: _core.box_from_mask(first, last, plan, parameters), valid)
    assert box is None or valid
    if box is None:
        box = _core.whole_volume_box(plan, parameters)
        first, last = [0, 0, 0], [n - 1 for n in plan.input_size]
    mm, margin = np.array(plan.spacing, np.float32), np.float32(parameters.box_margin_mm)
    assert box.start == tuple(mm * np.float32(np.subtract(first, plan.pad_before)) - margin)
    assert box.end == tuple(mm * np.float32(np.subtract(last, plan.pad_before) + 1) + margin)
    check_sentence(repr(box))


def segmentation(choices: Choices) -> None:
    planned = segmentation_plan(choices)
    if planned is None:
        return
    plan, size, spacing, parameters = planned
    if math.prod(plan.cropped_size) <= _MOST_CROPPED and choices.once_in(2):
        write_labels(choices, plan, size)
        return
    if max(plan.cropped_size) > _MOST_CROPPED or math.prod(size) > _MOST_CROPPED:
        return
    if choices.once_in(10):
        spacing = choices.spacing()
    volume, threads = choices.array(size, SCAN_TYPES), choices.threads()
    image = result_of(lambda: _core.segmentation_input(volume, spacing, plan, parameters, threads))
    if image is None:
        return
    crop = list(zip(plan.crop_start, plan.crop_stop, strict=True))

    def expected(values: np.ndarray, intensity: reference.Intensity) -> np.ndarray:
        if not all(first < n and stop > 0 for (first, stop), n in zip(crop, size, strict=True)):
            return np.full(plan.input_size, intensity(np.array(parameters.outside_hu)))
        sigma, outside = parameters.smoothing_sigma_mm, parameters.outside_hu
        return reference.segmentation_input(values, spacing, crop, plan.input_size, sigma, outside, intensity)

    small = math.prod(plan.cropped_size) <= _MOST_CROPPED
    check_input(image, volume, spacing, parameters, parameters.outside_hu, expected if small else None)


def segmentation_plan(choices: Choices) -> Any:
    """A checked plan, its image's size, its spacing and its parameters. None if it is refused."""
    parameters = segmentation_parameters(choices)
    if parameters is None:
        return None
    size, spacing = choices.size(), choices.spacing()
    start = [choices.number(-30, 0.9 * n * min(mm, 20)) for n, mm in zip(size, spacing, strict=True)]
    end = [each + choices.number(0, 60) for each in start]
    if choices.once_in(8):
        start[choices.whole(0, 2)] = choices.any_number()
    if choices.once_in(8):
        end[choices.whole(0, 2)] = choices.any_number()
    if choices.once_in(15):
        far = choices.of([500.0, -500.0, 8e6, -8e6])
        start, end = ([far + mm for mm in each] for each in (start, end))
    given = choices.triple(start), choices.triple(end)
    box = result_of(lambda: _core.Box(*given))
    if box is None:
        return None
    given_size, given_spacing = choices.triple(size), choices.triple(spacing)
    plan = result_of(lambda: _core.plan_segmentation(given_size, given_spacing, box, parameters))
    if plan is None:
        return None
    size, spacing = tuple(map(int, given_size)), tuple(map(float, given_spacing))
    corners = np.array(box.start, np.float32), np.array(box.end, np.float32)
    usual = (parameters.spacing_mm, parameters.spacing_threshold, parameters.spacing_slack)
    crop = reference.segmentation_crop(size, spacing, *corners, parameters.valid_sizes, *usual)
    assert plan.spacing == (crop.spacing,) * 3
    assert list(plan.input_size) == crop.input_size
    assert (list(plan.box.start), list(plan.box.end)) == (crop.start, crop.end)
    assert list(zip(plan.crop_start, plan.crop_stop, strict=True)) == crop.crop
    assert plan.cropped_size == tuple(stop - first for first, stop in crop.crop)
    for axis in range(3):
        # A crop beside the image on one axis is all padding there.
        (first, stop), n = crop.crop[axis], size[axis]
        inside = max(0, min(stop, n) - max(first, 0))
        assert min(*plan.paddings[axis], *plan.croppings[axis]) >= 0
        assert n - sum(plan.croppings[axis]) == inside == plan.cropped_size[axis] - sum(plan.paddings[axis])
        if inside:
            assert (plan.croppings[axis], plan.paddings[axis]) == (crop.croppings[axis], crop.paddings[axis])
    check_sentence(repr(plan))
    return plan, size, spacing, parameters


def check_input(
    image: np.ndarray,
    volume: np.ndarray,
    spacing: tuple[float, ...],
    parameters: Any,
    beside: float,
    expected: Callable[[np.ndarray, reference.Intensity], np.ndarray] | None,
) -> None:
    """A network's input: in range, and as expected if rounding does not count."""
    intensity = reference.Intensity(
        parameters.intensity_scale, parameters.intensity_min, parameters.intensity_max
    )
    values = np.array(volume).astype(np.float64)
    least, most = np.float32(intensity.least), np.float32(intensity.most)
    assert np.all((image >= least) & (image <= most) | np.isnan(image))
    largest = np.abs(values).max()
    if not largest < LARGE:
        return
    assert np.isfinite(image).all()
    if expected is None or parameters.smoothing_sigma_mm > _WIDE_SIGMA * min(spacing):
        return
    error = 3e-6 * (max(largest, abs(beside)) / intensity.scale) + 1e-6 * max(abs(least), abs(most))
    np.testing.assert_allclose(image, expected(values, intensity), rtol=0, atol=error)


def write_labels(choices: Choices, plan: _core.SegmentationPlan, size: tuple[int, ...]) -> None:
    classes = choices.of([2, 5, 1, 3, 7])
    if choices.once_in(15) and math.prod(plan.cropped_size) < 2000:
        classes = choices.of([255, 256, 0])
    shape = [classes, *plan.input_size]
    if choices.once_in(20):
        shape[choices.whole(0, 3)] += 1
        classes = shape[0]
    kind = choices.whole(0, 4)
    generator = np.random.default_rng(choices.whole(0, 0xFFFF))
    if kind == 0:
        probabilities: Any = generator.random(shape, np.float32)
    elif kind == 1:
        probabilities = generator.integers(0, 3, shape).astype(np.float32) / 2
    elif kind == 2:
        probabilities = (0.5 + generator.integers(-2, 3, shape) * 2.0**-24).astype(np.float32)
    elif kind == 3:
        probabilities = np.zeros(shape, np.float32)
        probabilities[choices.whole(0, classes) :] = generator.choice([0, 0.7, np.nan, np.inf])
    else:
        probabilities = choices.array(shape, ("<f4",))
    stored = choices.array(size, ("|u1",))
    threads = choices.threads()
    valid = (
        in_place(probabilities, ("<f4",), 4)
        and probabilities.shape == (classes, *plan.input_size)
        and probabilities.flags.c_contiguous
        and 1 <= classes <= 255
        and in_place(stored, ("|u1",))
        and stored.flags.writeable
        and stored.shape == size
        and threads >= 0
    )
    counts = result_of(lambda: _core.write_labels(probabilities, plan, stored, threads), valid)
    if counts is None:
        return
    assert valid
    expected = reference.labels(
        np.array(probabilities), size, plan.cropped_size, plan.croppings, plan.paddings
    )
    np.testing.assert_array_equal(np.array(stored), expected)
    np.testing.assert_array_equal(counts, np.bincount(expected.ravel(), minlength=classes))
    found = _core.label_confidence(probabilities, plan, threads)
    assert len(found) == classes
    assert sum(each.voxels for each in found) <= math.prod(plan.input_size)
    for each in found:
        assert each.doubtful_faces <= each.faces <= 6 * each.voxels
        assert 0 <= each.mean <= 1
    if np.abs(probabilities).max() <= 1:
        assert not any(each.unsound for each in found)


def localization_parameters(choices: Choices) -> Any:
    arguments = {
        "spacing_mm": choices.parameter(6, 0.001, 1000),
        "spacing_slack": choices.parameter(0.02, 0, 10),
        "valid_sizes": choices.valid_sizes(),
        "padding_hu": choices.parameter(-1024, -1e6, 1e6),
        "smoothing_sigma_mm": choices.parameter(choices.of([0, 1]), 0, 100),
        "box_margin_mm": choices.parameter(10, 0, 10000),
        **_intensities(choices),
    }
    return result_of(lambda: _core.LocalizationParameters(**arguments))


def segmentation_parameters(choices: Choices) -> Any:
    arguments = {
        "spacing_mm": choices.parameter(2, 0.001, 1000),
        "spacing_threshold": choices.parameter(1.9, 0.001, 1000),
        "spacing_slack": choices.parameter(0.1, 0, 10),
        "valid_sizes": choices.valid_sizes(),
        "smoothing_sigma_mm": choices.parameter(choices.of([1, 0]), 0, 100),
        "outside_hu": choices.parameter(0, -1e6, 1e6),
        **_intensities(choices),
    }
    return result_of(lambda: _core.SegmentationParameters(**arguments))


def _intensities(choices: Choices) -> dict[str, float]:
    return {
        "intensity_scale": choices.parameter(2048, 0.001, 1e6),
        "intensity_min": choices.parameter(-1, -1e6, 1e6),
        "intensity_max": choices.parameter(1, -1e6, 1e6),
    }
