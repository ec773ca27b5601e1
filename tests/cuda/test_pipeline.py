"""The device pipeline on the host, its two queues interleaved at random, gives what the CPU gives."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.device_scans import SPACING, make_scan
from support.fake_pipeline import (
    LABELS,
    FakePipeline,
    check,
    mask_shape,
    organ_mask,
    probabilities_shape,
    smooth_probabilities,
)
from support.fake_runtime import VERSIONS

from efficientscn_trt import _core
from efficientscn_trt.errors import DeviceError, InputError

DTYPES = (np.int16, np.uint8, np.uint16, np.int32, np.float32)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_voxel_type_in_any_interleaving(seed: int, dtype: Any) -> None:
    scan = make_scan(seed, (70, 90, 80), dtype)
    check(FakePipeline(seed=seed), scan, (2.0, 2.5, 2.0))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_tensorrt_and_precision(version: str, half: bool) -> None:
    pipeline = FakePipeline(version=version, half=half, options={"activation": lambda shape: 8 * shape[2]})
    check(pipeline, make_scan(1, (34, 45, 57)), SPACING)


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(*[st.integers(2, 60)] * 3),
    spacing=st.tuples(*[st.floats(0.4, 9.0)] * 3),
    seed=st.integers(0, 1000),
)
def test_odd_sizes_and_spacings(
    size: tuple[int, int, int], spacing: tuple[float, float, float], seed: int
) -> None:
    check(FakePipeline(seed=seed), make_scan(seed, size), spacing)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1), (1, -1, -1)])
def test_scans_and_label_maps_of_any_strides(axes: tuple[int, ...], flips: tuple[int, ...]) -> None:
    scan = make_scan(3, (40, 52, 46))
    step = tuple(slice(None, None, flip) for flip in flips)
    back = np.argsort(axes)
    stored = np.ascontiguousarray(scan[step].transpose(axes))
    labels = np.full(stored.shape, 99, np.uint8)
    pipeline = FakePipeline()
    pipeline.pipeline.segment(stored.transpose(back)[step], SPACING, labels.transpose(back)[step])
    expected, _ = FakePipeline().segment(scan, SPACING)
    np.testing.assert_array_equal(labels.transpose(back)[step], expected)


def test_every_other_voxel_of_an_array() -> None:
    scan = make_scan(4, (60, 72, 64))[::2, 1::2, ::-2]
    check(FakePipeline(), scan, SPACING)


def test_many_slabs_with_the_smoothing_of_the_paper() -> None:
    parameters = _core.LocalizationParameters(smoothing_sigma_mm=3.0)
    pipeline = FakePipeline(seed=5, localization_parameters=parameters)
    check(pipeline, make_scan(5, (120, 200, 260), np.float32), (1.5, 1.2, 1.2))


SMALL, LARGE = (30, 40, 50), (60, 70, 80)
TRIAL = [False] * 4 + [True] * 3  # a first run, three plain ones and three replays


def replays(pipeline: FakePipeline, sizes: Sequence[tuple[int, int, int]]) -> list[bool]:
    """Which of the runs at these sizes of scan were replayed; all must give what the CPU gives."""
    replayed = []
    for size in sizes:
        check(pipeline, make_scan(40, size), SPACING)
        replayed.append(pipeline.pipeline.replays)
    return replayed


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(("replay", "pays"), [(0.5, True), (1.5, False)])
def test_networks_are_replayed_from_graphs_where_that_is_faster(
    replay: float, pays: bool, half: bool
) -> None:
    pipeline = FakePipeline(graphs=True, half=half, replay=replay)
    assert replays(pipeline, [SMALL] * 10) == TRIAL + [pays] * 3
    assert replays(pipeline, [LARGE] * 8) == [*TRIAL, pays]
    assert replays(pipeline, [SMALL] * 3) == [False, pays, pays]  # what was measured is remembered


def test_sizes_that_take_turns_are_not_replayed() -> None:
    pipeline = FakePipeline(graphs=True)
    assert not any(replays(pipeline, [SMALL, LARGE] * 8))


def test_a_network_that_fails_while_it_is_timed_leaves_the_pipeline_usable() -> None:
    pipeline = FakePipeline(graphs=True)
    assert replays(pipeline, [SMALL] * 3) == TRIAL[:3]
    pipeline.segmentation.contexts[0].failing = "execute_async_v3"
    with pytest.raises(DeviceError, match="failed in execute_async_v3"):
        pipeline.segment(make_scan(40, SMALL), SPACING)
    pipeline.segmentation.contexts[0].failing = ""
    assert replays(pipeline, [SMALL] * 5) == [True] * 5


def test_an_empty_mask_searches_the_whole_scan() -> None:
    scan = np.full((30, 40, 50), -1000, np.int16)
    run = check(FakePipeline(), scan, SPACING)
    assert not run.found


def test_a_box_that_leaves_the_scan() -> None:
    scan = make_scan(6, (20, 22, 24))
    scan[:4, :5, :4] = 200
    run = check(FakePipeline(), scan, (6.0, 6.0, 6.0))
    assert max(before for before, _ in run.plan.paddings) > 0


def test_scans_do_not_depend_on_what_was_segmented_before() -> None:
    pipeline = FakePipeline(seed=7)
    large, small = make_scan(8, (90, 110, 100)), make_scan(9, (30, 40, 50))
    alone, _ = FakePipeline().segment(small, SPACING)
    pipeline.segment(large, (3.0, 3.0, 3.0))
    after, _ = pipeline.segment(small, SPACING)
    np.testing.assert_array_equal(after, alone)


def test_the_arena_keeps_its_size_reports_its_peak_and_is_trimmed() -> None:
    pipeline = FakePipeline().pipeline
    scan = make_scan(10, (40, 50, 60))
    labels = np.empty(scan.shape, np.uint8)
    pipeline.segment(scan, SPACING, labels)
    held = pipeline.arena_capacity
    assert pipeline.arena_peak == held > 0
    pipeline.segment(scan, SPACING, labels)
    assert pipeline.arena_capacity == held
    pipeline.trim()
    assert (pipeline.arena_capacity, pipeline.arena_peak) == (0, held)
    pipeline.segment(scan, SPACING, labels)
    assert pipeline.arena_capacity == held


@pytest.mark.parametrize("on_device", [(True, False), (False, True), (True, True)])
def test_scans_and_labels_that_stay_on_the_device(on_device: tuple[bool, bool]) -> None:
    scan = make_scan(11, (40, 52, 46))
    expected, run = FakePipeline().segment(scan, SPACING)
    labels, other = FakePipeline().segment(
        scan, SPACING, scan_on_device=on_device[0], labels_on_device=on_device[1], stream=1
    )
    np.testing.assert_array_equal(labels, expected)
    assert other.counts == run.counts


def test_labels_on_the_device_in_another_memory_order() -> None:
    scan = make_scan(12, (40, 52, 46))
    labels = np.full((46, 40, 52), 99, np.uint8)
    view = labels.transpose(1, 2, 0)[:, ::-1, ::-1]
    FakePipeline().pipeline.segment(scan, SPACING, view, labels_on_device=True)
    np.testing.assert_array_equal(view, FakePipeline().segment(scan, SPACING)[0])


def test_labels_on_the_device_with_gaps_are_refused() -> None:
    labels = np.zeros((80, 52, 46), np.uint8)[::2]
    with pytest.raises(ValueError, match="must fill their memory without gaps"):
        FakePipeline().pipeline.segment(make_scan(0, (40, 52, 46)), SPACING, labels, labels_on_device=True)


def test_stages_are_told_in_order_with_the_range_of_values_before_the_crop() -> None:
    scan = make_scan(13, (40, 52, 46), np.float32)
    told: list[object] = []
    FakePipeline().segment(
        scan,
        SPACING,
        begin=told.append,
        values=lambda low, high, nonfinite: told.append((low, high, nonfinite)),
    )
    assert told == [0, 1, (scan.min(), scan.max(), 0), 2, 3, 4]


def test_voxels_that_are_not_finite_are_counted() -> None:
    scan = make_scan(14, (40, 52, 46), np.float32)
    scan[3, 4, 5:8] = np.nan, np.inf, -np.inf
    told: list[Any] = []

    def refuse(low: float, high: float, nonfinite: int) -> None:
        told.extend((low, high, nonfinite))
        raise InputError("not finite")

    pipeline = FakePipeline()
    with pytest.raises(InputError, match="not finite"):
        pipeline.segment(scan, SPACING, values=refuse)
    finite = scan[np.isfinite(scan)]
    assert told == [finite.min(), finite.max(), 3]
    check(pipeline, make_scan(15, (40, 52, 46)), SPACING)  # the next one is not affected


def test_a_network_that_fails_leaves_the_pipeline_usable() -> None:
    pipeline = FakePipeline()
    scan = make_scan(16, (40, 52, 46))
    pipeline.segmentation.contexts[0].failing = "execute_async_v3"
    with pytest.raises(Exception, match="failed in execute_async_v3"):
        pipeline.segment(scan, SPACING)
    pipeline.segmentation.contexts[0].failing = ""
    check(pipeline, scan, SPACING)


def pipeline_of(
    parts: FakePipeline, localization: Any, segmentation: Any, labels: int = LABELS, **parameters: Any
) -> Any:
    """A pipeline of other engines than those of `parts`."""
    return _core.DevicePipeline(
        parts.network(localization),
        parts.network(segmentation),
        _core.LocalizationParameters(),
        _core.SegmentationParameters(**parameters),
        labels,
        simulated=0,
    )


def test_engines_of_other_networks_are_refused() -> None:
    pipeline = FakePipeline()
    swapped = pipeline.network(pipeline.trt.engine(lambda image: image, output="FLOAT"))
    with pytest.raises(ValueError, match="output must be a mask"):
        _core.DevicePipeline(
            swapped,
            swapped,
            _core.LocalizationParameters(),
            _core.SegmentationParameters(),
            LABELS,
            simulated=0,
        )


def test_an_output_of_too_few_channels_is_refused() -> None:
    pipeline = FakePipeline()
    two = pipeline.trt.engine(
        lambda image: np.repeat(image, 2, 1), output_shape=lambda shape: (1, 2, *shape[2:])
    )
    other = pipeline_of(pipeline, pipeline.localization, two)
    scan = make_scan(17, (20, 30, 40))
    with pytest.raises(ValueError, match=r"has the shape 1 2 .*, expected 1 5 "):
        other.segment(scan, SPACING, np.empty(scan.shape, np.uint8))


@pytest.mark.parametrize(
    ("elements", "tensor"),
    [
        (("BOOL", "FLOAT", "FLOAT"), "input"),
        (("FLOAT", "BOOL", "FLOAT"), "input"),
        (("FLOAT", "FLOAT", "BOOL"), "output"),
    ],
)
def test_engines_of_other_types_are_refused(elements: tuple[str, str, str], tensor: str) -> None:
    parts = FakePipeline()
    trt = parts.trt
    mask_input, image_input, output = elements
    other = pipeline_of(
        parts,
        trt.engine(organ_mask, input=mask_input, output="BOOL", output_shape=mask_shape),
        trt.engine(smooth_probabilities, input=image_input, output=output, output_shape=probabilities_shape),
    )
    scan = make_scan(17, (20, 30, 40))
    with pytest.raises(
        ValueError, match=f"The engine's {tensor} must be float32 or float16; build the engine"
    ):
        other.segment(scan, SPACING, np.empty(scan.shape, np.uint8))


def test_more_labels_than_a_block_of_the_gpu_holds_are_refused() -> None:
    pipeline = FakePipeline()
    many = pipeline.trt.engine(
        lambda image: np.repeat(image, 200, 1), output_shape=lambda shape: (1, 200, *shape[2:])
    )
    other = pipeline_of(pipeline, pipeline.localization, many, 200, valid_sizes=[[8], [8], [64]])
    scan = make_scan(17, (20, 30, 40))
    with pytest.raises(DeviceError, match=r'no room for 200 labels of 64 voxels each; use device="cpu"'):
        other.segment(scan, SPACING, np.empty(scan.shape, np.uint8))


@pytest.mark.parametrize("axis", range(3))
def test_more_voxels_along_an_axis_than_a_launch_takes_are_refused(axis: int) -> None:
    size = [2, 2, 2]
    size[axis] = 65536
    scan = np.zeros(size, np.int16)
    with pytest.raises(
        ValueError, match=r"at most 65535 voxels along an axis, found \(.*65536.*\) \(z, y, x\)"
    ):
        FakePipeline().segment(scan, SPACING)


def test_more_voxels_in_one_of_the_network_than_a_block_holds_are_refused() -> None:
    with pytest.raises(
        ValueError, match="more than 12288 voxels along x in one voxel of the network; resample"
    ):
        FakePipeline().segment(np.zeros((2, 2, 40000), np.int16), (4.0, 4.0, 0.0003))


def test_channels_beyond_the_labels_are_ignored() -> None:
    def padded(image: np.ndarray) -> np.ndarray:
        result = np.full((1, 8, *image.shape[2:]), 7, np.float32)
        result[:, :LABELS] = smooth_probabilities(image)
        return result

    pipeline = FakePipeline()
    engine = pipeline.trt.engine(padded, output_shape=lambda shape: (1, 8, *shape[2:]))
    other = _core.DevicePipeline(
        pipeline.network(pipeline.localization),
        pipeline.network(engine),
        pipeline.localization_parameters,
        pipeline.segmentation_parameters,
        LABELS,
        simulated=3,
    )
    scan = make_scan(18, (30, 40, 50))
    labels = np.empty(scan.shape, np.uint8)
    other.segment(scan, SPACING, labels)
    np.testing.assert_array_equal(labels, pipeline.segment(scan, SPACING)[0])


def test_labels_of_another_size_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"labels has the size \(2, 2, 2\) but the volume has \(20, 30, 40\)"
    ):
        FakePipeline().pipeline.segment(make_scan(0, (20, 30, 40)), SPACING, np.empty((2, 2, 2), np.uint8))


def test_threads_share_an_engine_with_a_context_each() -> None:
    first = FakePipeline()
    pipelines = [
        _core.DevicePipeline(
            first.network(first.localization),
            first.network(first.segmentation),
            first.localization_parameters,
            first.segmentation_parameters,
            LABELS,
            simulated=seed,
        )
        for seed in range(3)
    ]
    scans = [make_scan(20 + seed, (30 + 4 * seed, 40, 50)) for seed in range(3)]
    results: dict[int, np.ndarray] = {}

    def work(index: int) -> None:
        labels = np.empty(scans[index].shape, np.uint8)
        for _ in range(3):
            pipelines[index].segment(scans[index], SPACING, labels)
        results[index] = labels

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, scan in enumerate(scans):
        np.testing.assert_array_equal(results[index], FakePipeline().segment(scan, SPACING)[0])


def test_one_pipeline_called_from_several_threads_takes_turns() -> None:
    pipeline = FakePipeline()
    scans = [make_scan(30 + seed, (30, 40, 50)) for seed in range(4)]
    labels = [np.empty(scan.shape, np.uint8) for scan in scans]
    threads = [
        threading.Thread(target=pipeline.pipeline.segment, args=(scan, SPACING, out))
        for scan, out in zip(scans, labels, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for scan, out in zip(scans, labels, strict=True):
        np.testing.assert_array_equal(out, FakePipeline().segment(scan, SPACING)[0])
