"""Scans and label maps that stay on the device, in any memory order."""

from __future__ import annotations

import numpy as np
import pytest
from support.cuda_driver import copy_on_device
from support.device_scans import SPACING, make_scan, on_gpu
from support.fake_pipeline import LABELS, FakePipeline, check

from efficientscn_trt import _core
from efficientscn_trt.errors import DeviceError
from efficientscn_trt.io.device_array import LEGACY_STREAM, DeviceLabels, address_view, device_array


@pytest.mark.parametrize("step", [slice(None), slice(None, None, -1)])
@pytest.mark.parametrize("on_device", [(True, False), (False, True), (True, True)])
def test_scans_and_labels_that_stay_on_the_device(on_device: tuple[bool, bool], step: slice) -> None:
    scan_on_device, labels_on_device = on_device
    scan = make_scan(11, (40, 52, 46))
    expected, run = FakePipeline().segment(scan, SPACING)
    held, labels = on_gpu(scan[step]), DeviceLabels(scan.shape, 0)
    on_host = np.full(scan.shape, 99, np.uint8)
    other = FakePipeline().pipeline.segment(
        device_array(held).view[step] if scan_on_device else scan,
        SPACING,
        labels.view() if labels_on_device else on_host,
        scan_on_device=scan_on_device,
        labels_on_device=labels_on_device,
        stream=1,
    )
    np.testing.assert_array_equal(np.asarray(labels) if labels_on_device else on_host, expected)
    assert other.counts == run.counts


@pytest.mark.parametrize("seed", range(4))
def test_a_scan_that_another_stream_is_still_making(seed: int) -> None:
    scan = make_scan(13, (40, 52, 46))
    expected, _ = FakePipeline().segment(scan, SPACING)
    empty, made, late = on_gpu(np.zeros_like(scan)), on_gpu(scan), on_gpu(np.zeros_like(scan))
    pipeline = FakePipeline(seed=seed).pipeline
    with _core.CurrentDevice(0):
        for source in [empty] * 50 + [made]:
            copy_on_device(late.owner.address, source.owner.address, scan.nbytes, LEGACY_STREAM)
    found = device_array(late)
    labels = np.full(scan.shape, 99, np.uint8)
    pipeline.segment(found.view, SPACING, labels, scan_on_device=True, stream=found.stream)
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("seed", range(4))
def test_a_scan_is_no_longer_read_once_a_run_has_failed(seed: int) -> None:
    pipeline, scan = FakePipeline(seed=seed), make_scan(16, (40, 52, 46))
    held = on_gpu(scan)
    pipeline.segmentation.contexts[0].failing = "execute_async_v3"
    with pytest.raises(DeviceError, match="failed in execute_async_v3"):
        pipeline.segment(device_array(held).view, SPACING, scan_on_device=True)
    del held  # work that still read its memory would fault
    pipeline.segmentation.contexts[0].failing = ""
    check(pipeline, scan, SPACING)


def test_labels_on_the_device_in_another_memory_order() -> None:
    scan = make_scan(12, (40, 52, 46))
    block = DeviceLabels((46, 40, 52), 0)
    view = block.view().transpose(1, 2, 0)[:, ::-1, ::-1]
    FakePipeline().pipeline.segment(scan, SPACING, view, labels_on_device=True)
    found = np.asarray(block).transpose(1, 2, 0)[:, ::-1, ::-1]
    np.testing.assert_array_equal(found, FakePipeline().segment(scan, SPACING)[0])


def test_labels_are_shown_to_others_and_copied_for_numpy() -> None:
    scan = make_scan(8, (40, 52, 46))
    labels = DeviceLabels(scan.shape, 0)
    FakePipeline().pipeline.segment(scan, SPACING, labels.view(), labels_on_device=True)
    np.testing.assert_array_equal(np.asarray(labels), FakePipeline().segment(scan, SPACING)[0])
    assert np.asarray(labels, np.int32).dtype == np.int32
    with pytest.raises(ValueError, match="without a copy"):
        labels.__array__(copy=False)
    interface = labels.__cuda_array_interface__
    assert (interface["shape"], interface["typestr"], interface["stream"]) == ((40, 52, 46), "|u1", None)
    assert repr(labels) == "<DeviceLabels 40×52×46 on cuda:0>"


def test_where_an_address_lies() -> None:
    held, host = on_gpu(np.zeros(100, np.uint8)), np.zeros(100, np.uint8)
    place_of = FakePipeline().pipeline.place_of
    assert place_of(held.__cuda_array_interface__["data"][0]) == (0, False)
    assert place_of(host.__array_interface__["data"][0]) == (-1, False)
    assert address_view(held.__cuda_array_interface__["data"][0], (4, 5, 5), np.uint8).size == LABELS * 20
