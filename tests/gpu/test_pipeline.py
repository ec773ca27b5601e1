"""The device pipeline on a GPU, with networks in NumPy, gives what the CPU gives."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from support.device_scans import SPACING, make_scan, on_gpu
from support.fake_pipeline import LABELS, FakePipeline, check, on_cpu, organ_mask, smooth_probabilities

from efficientscn_trt import _core
from efficientscn_trt.device_array import DeviceLabels, address_view, device_array

DTYPES = (np.int16, np.uint8, np.uint16, np.int32, np.float32)
SMALL = {"activation": lambda shape: 1 << 20}


def pipeline(**options: Any) -> FakePipeline:
    return FakePipeline(seed=None, options=SMALL, **options)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_small_scan_of_every_voxel_type(dtype: Any, half: bool) -> None:
    check(pipeline(half=half), make_scan(1, (34, 45, 57), dtype), SPACING)


@pytest.mark.parametrize("size", [(2, 2, 2), (3, 61, 5), (61, 7, 3), (33, 34, 35), (2, 700, 9)])
@pytest.mark.parametrize("spacing", [(0.7, 0.9, 0.8), (9.0, 0.5, 3.0)])
def test_small_scans_of_odd_sizes(size: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    check(pipeline(), make_scan(2, size), spacing)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_as_the_same_lines_on_the_host(dtype: Any, half: bool) -> None:
    scan = make_scan(12, (70, 90, 80), dtype)
    seen: list[list[np.ndarray]] = []

    def remember(image: np.ndarray) -> np.ndarray:
        seen[-1].append(image)
        return smooth_probabilities(image)

    results = []
    for seed in (None, 0):
        seen.append([])
        device = FakePipeline(seed=seed, half=half, segmentation_function=remember, options=SMALL)
        results.append(device.segment(scan, (2.0, 2.5, 2.0)))
    np.testing.assert_array_equal(seen[0][0], seen[1][0])
    np.testing.assert_array_equal(results[0][0], results[1][0])
    assert results[0][1].counts == results[1][1].counts


def test_a_scan_of_many_slabs() -> None:
    check(pipeline(), make_scan(3, (160, 320, 300)), (1.2, 0.9, 0.9))


def test_smoothing_before_the_localization() -> None:
    parameters = _core.LocalizationParameters(smoothing_sigma_mm=3.0)
    check(
        pipeline(localization_parameters=parameters),
        make_scan(4, (80, 130, 120), np.float32),
        (1.5, 2.0, 2.0),
    )


@pytest.mark.parametrize("axes", [(2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_scans_and_label_maps_of_any_strides(axes: tuple[int, ...]) -> None:
    scan = make_scan(5, (40, 52, 46))
    back, step = np.argsort(axes), (slice(None, None, -1), slice(None), slice(None, None, -1))
    stored = np.ascontiguousarray(scan[step].transpose(axes))
    labels = np.full(stored.shape, 99, np.uint8)
    view = labels.transpose(back)[step]
    pipeline().pipeline.segment(stored.transpose(back)[step], SPACING, view)
    np.testing.assert_array_equal(view, pipeline().segment(scan, SPACING)[0])


def test_repeated_runs_give_the_same_bits() -> None:
    one = pipeline()
    scan = make_scan(6, (90, 110, 100))
    results = [one.segment(scan, (3.0, 3.0, 3.0))[0] for _ in range(5)]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_a_scan_on_the_device_goes_in_and_labels_stay_there() -> None:
    scan = make_scan(7, (40, 52, 46))
    expected, _ = pipeline().segment(scan, SPACING)
    for step in (slice(None), slice(None, None, -1)):
        held = on_gpu(scan[step])
        view = device_array(held).view[step]
        labels = DeviceLabels(scan.shape, 0)
        pipeline().pipeline.segment(
            view, SPACING, labels.view(), scan_on_device=True, labels_on_device=True, stream=1
        )
        np.testing.assert_array_equal(np.asarray(labels), expected)


def test_labels_on_the_device_in_another_memory_order() -> None:
    scan = make_scan(8, (40, 52, 46))
    block = DeviceLabels((46, 40, 52), 0)
    view = block.view().transpose(1, 2, 0)[:, ::-1, ::-1]
    pipeline().pipeline.segment(scan, SPACING, view, labels_on_device=True)
    found = np.asarray(block).transpose(1, 2, 0)[:, ::-1, ::-1]
    np.testing.assert_array_equal(found, pipeline().segment(scan, SPACING)[0])


def test_a_network_that_cannot_be_recorded_runs_plainly() -> None:
    one = pipeline(graphs=True)  # NumPy's network waits for the stream, which a recording forbids
    scan = make_scan(9, (30, 40, 50))
    for _ in range(6):
        check(one, scan, SPACING)
        assert not one.pipeline.replays


@pytest.mark.parametrize("half", [False, True])
def test_a_network_alone(half: bool) -> None:
    one = pipeline(half=half)
    image = np.random.default_rng(5).uniform(-0.5, 0.5, (32, 64, 32)).astype(np.float32)
    seen = image.astype(np.float16 if half else np.float32)
    np.testing.assert_array_equal(one.pipeline.localize_input(image), organ_mask(seen))
    expected = smooth_probabilities(seen[None, None])[0].astype(seen.dtype)
    np.testing.assert_array_equal(one.pipeline.segment_input(image), expected)


def test_the_range_of_values() -> None:
    scan = make_scan(10, (40, 52, 46), np.float32)
    scan[3, 4, 5:8] = np.nan, np.inf, -np.inf
    told: list[Any] = []
    pipeline().segment(scan, SPACING, values=lambda *range_: told.extend(range_))
    finite = scan[np.isfinite(scan)]
    assert told == [finite.min(), finite.max(), 3]


def test_half_of_every_kind() -> None:
    """Zero, subnormal and ordinary intensities round as on the CPU."""
    scan = (np.linspace(-3e-4, 3e-4, 40 * 40 * 40) * 2048).astype(np.float32).reshape(40, 40, 40)
    seen: list[np.ndarray] = []

    def remember(image: np.ndarray) -> np.ndarray:
        seen.append(image)
        return np.ones(image.shape, np.bool_)

    one = pipeline(half=True, localization_function=remember)
    one.segment(scan, (6.0, 6.0, 6.0))
    on_cpu(scan, (6.0, 6.0, 6.0), one)
    difference = np.abs(seen[0].astype(np.float64) - seen[1])
    assert difference.max() <= np.spacing(np.float16(3e-4))


def test_pipelines_in_threads_do_not_disturb_each_other() -> None:
    scans = [make_scan(20 + seed, (30 + 4 * seed, 40, 50)) for seed in range(4)]
    expected = [pipeline().segment(scan, SPACING)[0] for scan in scans]
    failures: list[object] = []

    def work(index: int) -> None:
        own = pipeline()
        for _ in range(3):
            labels, _ = own.segment(scans[index], SPACING)
            if not np.array_equal(labels, expected[index]):
                failures.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_memory_that_the_gpu_does_not_have() -> None:
    from efficientscn_trt import DeviceError

    with pytest.raises(DeviceError, match=r"The GPU has \d+ MB of its \d+ MB free, but \d+ MB are needed"):
        _core.DeviceBlock(1 << 50, 0)
    check(pipeline(), make_scan(11, (34, 45, 57)), SPACING)


def test_where_an_address_lies() -> None:
    held, host = on_gpu(np.zeros(100, np.uint8)), np.zeros(100, np.uint8)
    place_of = pipeline().pipeline.place_of
    assert place_of(held.__cuda_array_interface__["data"][0]) == (0, False)
    assert place_of(host.__array_interface__["data"][0]) == (-1, False)
    assert address_view(held.__cuda_array_interface__["data"][0], (4, 5, 5), np.uint8).size == LABELS * 20
