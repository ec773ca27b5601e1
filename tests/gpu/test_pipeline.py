"""The device pipeline gives the CPU's results, in any order of its streams. NumPy computes the networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.core_parameters import localization_parameters
from support.device_scans import SPACING, make_scan
from support.fake_pipeline import (
    LABELS,
    FakePipeline,
    check,
    on_cpu,
    organ_mask,
    smooth_probabilities,
)
from support.fake_runtime import VERSIONS

from efficientscn_trt import _core
from efficientscn_trt.errors import InputError

DTYPES = (np.int16, np.uint8, np.uint16, np.int32, np.float32)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_small_scan_of_every_voxel_type(dtype: Any, half: bool) -> None:
    check(FakePipeline(half=half), make_scan(1, (34, 45, 57), dtype), SPACING)


@pytest.mark.parametrize("size", [(2, 2, 2), (3, 61, 5), (61, 7, 3), (33, 34, 35), (2, 700, 9)])
@pytest.mark.parametrize("spacing", [(0.7, 0.9, 0.8), (9.0, 0.5, 3.0)])
def test_small_scans_of_odd_sizes(size: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    check(FakePipeline(), make_scan(2, size), spacing)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_voxel_type_in_any_order_of_the_streams(seed: int, dtype: Any) -> None:
    scan = make_scan(seed, (70, 90, 80), dtype)
    check(FakePipeline(seed=seed), scan, (2.0, 2.5, 2.0))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_tensorrt_and_precision(version: str, half: bool) -> None:
    pipeline = FakePipeline(version=version, half=half, options={"activation": lambda shape: 8 * shape[2]})
    check(pipeline, make_scan(1, (34, 45, 57)), SPACING)


def test_a_scan_of_many_slabs() -> None:
    check(FakePipeline(), make_scan(3, (160, 320, 300)), (1.2, 0.9, 0.9))


def test_many_slabs_with_the_smoothing_of_the_paper() -> None:
    parameters = localization_parameters(smoothing_sigma_mm=3.0)
    pipeline = FakePipeline(seed=5, localization_parameters=parameters)
    check(pipeline, make_scan(5, (120, 200, 260), np.float32), (1.5, 1.2, 1.2))


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1), (1, -1, -1)])
def test_scans_and_label_maps_of_any_strides(axes: tuple[int, ...], flips: tuple[int, ...]) -> None:
    scan = make_scan(3, (40, 52, 46))
    step = tuple(slice(None, None, flip) for flip in flips)
    back = np.argsort(axes)
    stored = np.ascontiguousarray(scan[step].transpose(axes))
    labels = np.full(stored.shape, 99, np.uint8)
    FakePipeline().pipeline.segment(stored.transpose(back)[step], SPACING, labels.transpose(back)[step])
    expected, _ = FakePipeline().segment(scan, SPACING)
    np.testing.assert_array_equal(labels.transpose(back)[step], expected)


def test_every_other_voxel_of_an_array() -> None:
    scan = make_scan(4, (60, 72, 64))[::2, 1::2, ::-2]
    check(FakePipeline(), scan, SPACING)


def test_an_empty_mask_searches_the_whole_scan() -> None:
    scan = np.full((30, 40, 50), -1000, np.int16)
    run = check(FakePipeline(), scan, SPACING)
    assert not run.found


def test_a_box_that_leaves_the_scan() -> None:
    scan = make_scan(6, (20, 22, 24))
    scan[:4, :5, :4] = 200
    run = check(FakePipeline(), scan, (6.0, 6.0, 6.0))
    assert max(before for before, _ in run.segmentation.paddings) > 0


def test_repeated_runs_give_the_same_bits() -> None:
    pipeline = FakePipeline()
    scan = make_scan(6, (90, 110, 100))
    results = [pipeline.segment(scan, (3.0, 3.0, 3.0))[0] for _ in range(5)]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_scans_do_not_depend_on_what_was_segmented_before() -> None:
    pipeline = FakePipeline(seed=7)
    large, small = make_scan(8, (90, 110, 100)), make_scan(9, (30, 40, 50))
    alone, _ = FakePipeline().segment(small, SPACING)
    pipeline.segment(large, (3.0, 3.0, 3.0))
    after, _ = pipeline.segment(small, SPACING)
    np.testing.assert_array_equal(after, alone)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("size", [(34, 45, 57), (90, 110, 100)])
def test_the_confidence_in_each_label_is_exactly_that_of_the_host(
    size: tuple[int, int, int], half: bool
) -> None:
    returned: list[np.ndarray] = []

    def probabilities_of(image: np.ndarray) -> np.ndarray:
        returned.append(smooth_probabilities(image).astype(np.float16 if half else np.float32))
        return returned[-1]

    pipeline = FakePipeline(half=half, segmentation_function=probabilities_of)
    _, run = pipeline.segment(make_scan(6, size), SPACING)
    expected = _core.label_confidence(returned[-1][0].astype(np.float32), run.segmentation)
    numbers = [
        [(c.voxels, c.mean, c.faces, c.doubtful_faces, c.unsound) for c in each]
        for each in (run.confidence, expected)
    ]
    assert numbers[0] == numbers[1]
    assert run.confidence[1].doubtful_faces > 0


def test_values_that_are_no_probabilities_are_counted() -> None:
    def probabilities_of(image: np.ndarray) -> np.ndarray:
        values = smooth_probabilities(image)
        values[0, 0, 3, 4, 5], values[0, 2, 6, 7, 8] = np.nan, -3
        return values

    _, run = FakePipeline(segmentation_function=probabilities_of).segment(
        make_scan(6, (90, 110, 100)), SPACING
    )
    assert sum(each.unsound for each in run.confidence) == 2


def test_stages_are_reported_in_order_with_the_values_before_the_crop() -> None:
    scan = make_scan(13, (40, 52, 46), np.float32)
    told: list[object] = []
    FakePipeline().segment(
        scan,
        SPACING,
        begin=lambda stage: told.append(stage.name),
        values=lambda values: told.append((values.low, values.high, values.nonfinite)),
    )
    assert told == [
        "LOCALIZATION_INPUT",
        "LOCALIZATION",
        (scan.min(), scan.max(), 0),
        "SEGMENTATION_INPUT",
        "SEGMENTATION",
        "LABELS",
    ]


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_the_histogram_is_that_of_the_core(dtype: type[np.generic]) -> None:
    scan = make_scan(16, (40, 52, 46), dtype)
    scan[5:9] = np.random.default_rng(16).integers(-4000, 4000, scan[5:9].shape)
    told: list[_core.ValueSummary] = []
    FakePipeline().segment(scan[:, ::-1], SPACING, values=told.append)
    np.testing.assert_array_equal(told[0].counts, _core.value_summary(scan).counts)


def test_voxels_that_are_not_finite_are_counted() -> None:
    scan = make_scan(14, (40, 52, 46), np.float32)
    scan[3, 4, 5:8] = np.nan, np.inf, -np.inf
    told: list[Any] = []

    def refuse(values: _core.ValueSummary) -> None:
        told.extend((values.low, values.high, values.nonfinite, values.counts.sum()))
        raise InputError("not finite")

    pipeline = FakePipeline()
    with pytest.raises(InputError, match="not finite"):
        pipeline.segment(scan, SPACING, values=refuse)
    finite = scan[np.isfinite(scan)]
    assert told == [finite.min(), finite.max(), 3, finite.size]
    check(pipeline, make_scan(15, (40, 52, 46)), SPACING)  # the next one is not affected


def test_a_network_that_fails_leaves_the_pipeline_usable() -> None:
    pipeline = FakePipeline()
    scan = make_scan(16, (40, 52, 46))
    pipeline.segmentation.contexts[0].failing = "execute_async_v3"
    with pytest.raises(Exception, match="failed in execute_async_v3"):
        pipeline.segment(scan, SPACING)
    pipeline.segmentation.contexts[0].failing = ""
    check(pipeline, scan, SPACING)


def test_channels_beyond_the_labels_are_ignored() -> None:
    def padded(image: np.ndarray) -> np.ndarray:
        result = np.full((1, 8, *image.shape[2:]), 7, np.float32)
        result[:, :LABELS] = smooth_probabilities(image)
        return result

    pipeline = FakePipeline()
    engine = pipeline.trt.engine(padded, output_shape=lambda shape: (1, 8, *shape[2:]))
    other = pipeline.pipeline_of(pipeline.localization, engine)
    scan = make_scan(18, (30, 40, 50))
    labels = np.empty(scan.shape, np.uint8)
    other.segment(scan, SPACING, labels)
    np.testing.assert_array_equal(labels, pipeline.segment(scan, SPACING)[0])


@pytest.mark.parametrize("half", [False, True])
def test_a_network_alone(half: bool) -> None:
    one = FakePipeline(half=half)
    image = np.random.default_rng(5).uniform(-0.5, 0.5, (32, 64, 32)).astype(np.float32)
    seen = image.astype(np.float16 if half else np.float32)
    np.testing.assert_array_equal(one.pipeline.localize_input(image), organ_mask(seen))
    expected = smooth_probabilities(seen[None, None])[0].astype(seen.dtype)
    np.testing.assert_array_equal(one.pipeline.segment_input(image), expected)


def test_half_of_every_kind() -> None:
    """Zero, subnormal and ordinary intensities round as on the CPU."""
    scan = (np.linspace(-3e-4, 3e-4, 40 * 40 * 40) * 2048).astype(np.float32).reshape(40, 40, 40)
    seen: list[np.ndarray] = []

    def remember(image: np.ndarray) -> np.ndarray:
        seen.append(image)
        return np.ones(image.shape, np.bool_)

    one = FakePipeline(half=True, localization_function=remember)
    one.segment(scan, (6.0, 6.0, 6.0))
    on_cpu(scan, (6.0, 6.0, 6.0), one)
    difference = np.abs(seen[0].astype(np.float64) - seen[1])
    assert difference.max() <= np.spacing(np.float16(3e-4))
