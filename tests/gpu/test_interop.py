"""Arrays of torch, CuPy and PyCUDA are read without a copy, once their stream has made them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.device_scans import SPACING, make_scan, on_gpu
from support.fake_pipeline import FakePipeline

from efficientscn_trt import _core
from efficientscn_trt.io.device_array import DeviceLabels, device_array

SCAN = make_scan(1, (60, 80, 70))


@functools.cache
def pipeline() -> FakePipeline:
    """Return the one pipeline of all tests.

    Its allocations for the first scan wait for the GPU, which could hide a missing wait.
    """
    return FakePipeline()


def run(array: Any) -> DeviceLabels:
    """Segment an array that another library holds on the device; the labels stay there."""
    found = device_array(array)
    labels = DeviceLabels(found.view.shape, 0)
    pipeline().pipeline.segment(
        found.view, SPACING, labels.view(), scan_on_device=True, labels_on_device=True, stream=found.stream
    )
    return labels


def cuda_torch() -> Any:
    """PyTorch; skips the test where it has no CUDA."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch has no CUDA")
    return torch


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    labels: np.ndarray = pipeline().segment(SCAN, SPACING)[0]
    return labels


def test_torch(expected: np.ndarray) -> None:
    torch = cuda_torch()
    tensor = torch.from_numpy(SCAN).cuda()
    before = torch.cuda.current_device()
    labels = run(tensor)
    assert torch.cuda.current_device() == before
    back = torch.as_tensor(labels, device="cuda")
    assert labels.__cuda_array_interface__["data"] == (back.data_ptr(), False)
    np.testing.assert_array_equal(back.cpu().numpy(), expected)


def test_torch_with_strides(expected: np.ndarray) -> None:
    torch = cuda_torch()
    tensor = torch.from_numpy(np.ascontiguousarray(SCAN.transpose(2, 0, 1))).cuda().permute(1, 2, 0)
    assert not tensor.is_contiguous()
    np.testing.assert_array_equal(np.asarray(run(tensor)), expected)


@pytest.mark.parametrize("side", [False, True])
def test_a_tensor_that_torch_is_still_making(side: bool, expected: np.ndarray) -> None:
    torch = cuda_torch()
    with torch.cuda.stream(torch.cuda.Stream() if side else torch.cuda.default_stream()):
        late = torch.zeros(SCAN.shape, dtype=torch.int16, device="cuda")
        scan, busy = torch.from_numpy(SCAN).cuda(), torch.ones(4096, 4096, device="cuda")
        torch.cuda.synchronize()
        for _ in range(20):
            busy = busy @ busy * 0
        late += scan
        labels = run(late)
    np.testing.assert_array_equal(np.asarray(labels), expected)


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


@pytest.fixture
def pycuda_context() -> Iterator[Any]:
    """The primary context of the first GPU, as pycuda.autoprimaryctx makes it current."""
    driver = pytest.importorskip("pycuda.driver")
    driver.init()
    context = driver.Device(0).retain_primary_context()
    context.push()
    yield context
    driver.Context.pop()


def test_pycuda(pycuda_context: Any, expected: np.ndarray) -> None:
    from pycuda import driver, gpuarray

    labels = run(gpuarray.to_gpu(SCAN))
    assert driver.Context.get_current() is not None
    np.testing.assert_array_equal(np.asarray(labels), expected)


def test_an_array_that_pycuda_is_still_making(pycuda_context: Any, expected: np.ndarray) -> None:
    from pycuda import gpuarray

    scan, late = gpuarray.to_gpu(SCAN), gpuarray.zeros(SCAN.shape, np.int16)
    busy = gpuarray.zeros(1 << 26, np.float32)
    late += late  # compiles
    busy += busy
    pycuda_context.synchronize()
    for _ in range(100):
        busy += busy
    late += scan
    np.testing.assert_array_equal(np.asarray(run(late)), expected)


def test_an_array_in_another_context_is_recognised() -> None:
    driver = pytest.importorskip("pycuda.driver")
    driver.init()
    context = driver.Device(0).make_context()  # as pycuda.autoinit does
    try:
        held = driver.mem_alloc(1 << 20)
        assert pipeline().pipeline.place_of(int(held)) == (0, True)
        held.free()
    finally:
        context.pop()
        context.detach()


@pytest.mark.skipif(len(_core.cuda_status()["devices"]) < 2, reason="this machine has one GPU")
def test_the_second_gpu(expected: np.ndarray) -> None:
    held = on_gpu(SCAN, 1)
    address = held.__cuda_array_interface__["data"][0]
    assert pipeline().pipeline.place_of(address) == (1, False)
    second = FakePipeline(device=1).pipeline
    assert second.place_of(address) == (1, False)
    labels = DeviceLabels(SCAN.shape, 1)
    second.segment(
        device_array(held).view, SPACING, labels.view(), scan_on_device=True, labels_on_device=True
    )
    np.testing.assert_array_equal(np.asarray(labels), expected)
