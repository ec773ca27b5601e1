"""Measure time and memory of the whole path as the package runs it, and the time without CUDA graphs."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from efficientscn_trt import _core
from efficientscn_trt.measure.device_memory import PeakDeviceMemory
from efficientscn_trt.pipeline import DevicePipeline
from on_gpu.context import Context, judged
from on_gpu.engines import load_backend, machine_of
from on_gpu.measure import run_once, time_device, time_host
from on_gpu.reference import timed_scan

#: Limits in fp16 on an H100: 25 ms for the whole path, of which 7.5 ms (30%) outside the networks.
LIMITED_PRECISION, LIMITED_CARD = "fp16", "H100"
LIMIT_SECONDS, LIMIT_ELSE = 0.025, 0.0075
LIMIT_FACTOR, LIMIT_BYTES = 1.15, 32_000_000


def run(context: Context) -> dict[str, Any]:
    scan = timed_scan(context.reference)
    with PeakDeviceMemory(interval=0.005) as device:
        begin = time.perf_counter()
        backend = load_backend(context)
        loaded = time.perf_counter() - begin
        pipeline = DevicePipeline(backend)
        begin = time.perf_counter()
        _, first = run_once(pipeline, scan.voxels, scan.spacing)
        first_seconds = time.perf_counter() - begin
        host = time_host(pipeline, scan.voxels, scan.spacing, context.repeats)
        replayed = backend.core.replays
    sizes = (first.localization.input_size, first.segmentation.input_size)
    activation = max(network.prepare(size)[1] for network, size in zip(backend.networks, sizes, strict=True))
    arena = backend.core.arena_peak
    kept = time_device(pipeline, scan.voxels, scan.spacing, context.repeats)
    plain = time_host(
        DevicePipeline(load_backend(context, graphs=False)), scan.voxels, scan.spacing, context.repeats
    )
    threads = {
        count: time_host(
            DevicePipeline(load_backend(context, threads=count)),
            scan.voxels,
            scan.spacing,
            min(context.repeats, 10),
        )["wall"]
        for count in (1, 2, 4, 8)
    }
    results = {
        "scan": [*scan.voxels.shape, str(scan.voxels.dtype)],
        "segmentation_size": first.segmentation.input_size,
        "box_voxels": box_voxels(first.segmentation),
        "load_seconds": loaded,
        "first_seconds": first_seconds,
        "host_to_host": host,
        "device_to_device": kept,
        "host_to_host_without_graphs": plain,
        "replayed": replayed,
        "host_threads": threads,
        "copy": copy_rates(scan.voxels),
        "activation_bytes": activation,
        "arena_peak_bytes": arena,
        "device_peak_growth_bytes": device.peak,
    }
    checks = {"arena within 1.15 activation + 32 MB": arena <= LIMIT_FACTOR * activation + LIMIT_BYTES}
    gpu = machine_of(context.flavour).gpu
    if gpu is not None and LIMITED_CARD in gpu.name and context.precision == LIMITED_PRECISION:
        checks["whole path within 25 ms"] = host["wall"]["median"] <= LIMIT_SECONDS
        checks["all but the networks within 7.5 ms"] = host["all_else"] <= LIMIT_ELSE
    return judged(results, checks)


def box_voxels(plan: _core.SegmentationPlan) -> int:
    """Return how many of the scan's voxels go to the device for the segmentation and come back as labels."""
    extents = zip(plan.image_size, plan.croppings, strict=True)
    return math.prod(extent - before - after for extent, (before, after) in extents)


def copy_rates(voxels: np.ndarray) -> dict[str, float]:
    """Return GB/s of copies of the scan to and from the device, as the driver copies pageable memory."""
    flat = np.ascontiguousarray(voxels).reshape(-1).view(np.uint8)
    with _core.CurrentDevice(0):
        block = _core.DeviceBlock(flat.nbytes, 0)
        to, back = [], []
        for _ in range(10):
            begin = time.perf_counter()
            _core.write_device(block.address, flat)
            middle = time.perf_counter()
            _core.read_device(block.address, flat.nbytes)
            to.append(middle - begin)
            back.append(time.perf_counter() - middle)
    return {
        "to_device_gb_s": flat.nbytes / min(to) / 1e9,
        "from_device_gb_s": flat.nbytes / min(back) / 1e9,
    }
