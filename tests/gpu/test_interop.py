"""Arrays of torch, CuPy and PyCUDA go in without a copy and in their order; labels come out to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.device_scans import SPACING, make_scan, on_gpu
from support.fake_pipeline import FakePipeline

from efficientscn_trt import _core
from efficientscn_trt.device_array import DeviceLabels, device_array

SMALL = {"activation": lambda shape: 1 << 20}
SCAN = make_scan(1, (60, 80, 70))


def run(array: Any) -> DeviceLabels:
    """Labels, on the device, of an array that another library holds there."""
    found = device_array(array)
    labels = DeviceLabels(found.view.shape, 0)
    FakePipeline(seed=None, options=SMALL).pipeline.segment(
        found.view, SPACING, labels.view(), scan_on_device=True, labels_on_device=True, stream=found.stream
    )
    return labels


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return FakePipeline(seed=None, options=SMALL).segment(SCAN, SPACING)[0]


def test_torch(expected: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(SCAN).cuda()
    before = torch.cuda.current_device()
    labels = run(tensor)
    assert torch.cuda.current_device() == before
    back = torch.as_tensor(labels, device="cuda")
    assert back.data_ptr() == labels.__cuda_array_interface__["data"][0]
    np.testing.assert_array_equal(back.cpu().numpy(), expected)


def test_torch_with_strides(expected: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(np.ascontiguousarray(SCAN.transpose(2, 0, 1))).cuda().permute(1, 2, 0)
    assert not tensor.is_contiguous()
    np.testing.assert_array_equal(np.asarray(run(tensor)), expected)


def test_cupy_and_its_stream(expected: np.ndarray) -> None:
    cupy = pytest.importorskip("cupy")
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        busy = cupy.ones((4096, 4096), cupy.float32)
        for _ in range(20):  # the scan is not there yet when the run is queued
            busy = busy @ busy * 0
        array = cupy.asarray(SCAN, order="C") + busy[0, 0].astype(cupy.int16)
        assert device_array(array).stream == stream.ptr
        labels = run(array)
    np.testing.assert_array_equal(cupy.asnumpy(cupy.asarray(labels)), expected)


def test_pycuda(expected: np.ndarray) -> None:
    pytest.importorskip("pycuda")
    import pycuda.driver as driver
    from pycuda import gpuarray

    driver.init()
    context = driver.Device(0).retain_primary_context()
    context.push()
    try:
        labels = run(gpuarray.to_gpu(SCAN))
        assert driver.Context.get_current() is not None
        np.testing.assert_array_equal(np.asarray(labels), expected)
    finally:
        driver.Context.pop()


@pytest.mark.skipif(len(_core.cuda_status()["devices"]) < 2, reason="this machine has one GPU")
def test_the_second_gpu(expected: np.ndarray) -> None:
    held = on_gpu(SCAN, 1)
    assert _core.cuda_device_of(held.__cuda_array_interface__["data"][0]) == 1
    labels = DeviceLabels(SCAN.shape, 1)
    FakePipeline(seed=None, device=1, options=SMALL).pipeline.segment(
        device_array(held).view, SPACING, labels.view(), scan_on_device=True, labels_on_device=True
    )
    np.testing.assert_array_equal(np.asarray(labels), expected)
