"""Runs of the device pipeline as `Segmenter` makes them, without files."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from efficientscn_trt import _core
from efficientscn_trt.io.device_array import LEGACY_STREAM, DeviceArray, address_view
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.io.volume import Scan
from efficientscn_trt.measure.samples import summarize
from efficientscn_trt.pipeline import DevicePipeline, Run
from efficientscn_trt.pipeline.clock import Clock

Spacing = tuple[float, float, float]

WARM_UP = 8  # after which the trial of CUDA graphs is over
NETWORKS = ("localization", "segmentation")


def make_scan(voxels: np.ndarray, spacing: Spacing, device: DeviceArray | None = None) -> Scan:
    """Return `voxels` [z, y, x] along LPS axes as a scan."""
    z, y, x = voxels.shape
    return Scan(voxels, Geometry((x, y, z), spacing[::-1]), "The array", device=device)


def run_once(
    pipeline: DevicePipeline, voxels: np.ndarray, spacing: Spacing, clock: Clock | None = None
) -> tuple[np.ndarray, Run]:
    """Return the labels on the host, and the run."""
    run = pipeline.run(make_scan(voxels, spacing), spacing, clock or Clock(None), keep_on_device=False)
    return np.asarray(run.labels), run


class HeldScan:
    """A copy of `voxels` in the memory of the first GPU."""

    def __init__(self, voxels: np.ndarray) -> None:
        with _core.CurrentDevice(0):
            self._block = _core.DeviceBlock(voxels.nbytes, 0)
            _core.write_device(self._block.address, np.ascontiguousarray(voxels).reshape(-1).view(np.uint8))
        self.view = address_view(self._block.address, voxels.shape, voxels.dtype)


def time_host(pipeline: DevicePipeline, voxels: np.ndarray, spacing: Spacing, repeats: int) -> dict[str, Any]:
    """Time runs from a host array to host labels: wall seconds, and device seconds by stage."""
    walls, stages = [], []
    for index in range(WARM_UP + repeats):
        clock = Clock(None)
        begin = time.perf_counter()
        run_once(pipeline, voxels, spacing, clock)
        if index >= WARM_UP:
            walls.append(time.perf_counter() - begin)
            stages.append(clock.seconds)
    return _summary(walls, stages)


def time_device(
    pipeline: DevicePipeline, voxels: np.ndarray, spacing: Spacing, repeats: int
) -> dict[str, Any]:
    """Time runs from a device array to device labels."""
    held = HeldScan(voxels)
    walls, stages = [], []
    for index in range(WARM_UP + repeats):
        clock = Clock(None)
        scan = make_scan(held.view, spacing, DeviceArray(held.view, LEGACY_STREAM, held))
        begin = time.perf_counter()
        pipeline.run(scan, spacing, clock, keep_on_device=True)
        if index >= WARM_UP:
            walls.append(time.perf_counter() - begin)
            stages.append(clock.seconds)
    return _summary(walls, stages)


def _summary(walls: list[float], stages: list[dict[str, float]]) -> dict[str, Any]:
    networks = [sum(run[name] for name in NETWORKS) for run in stages]
    return {
        "wall": vars(summarize(walls)),
        "stages": {name: summarize([run[name] for run in stages]).median for name in stages[0]},
        "networks": summarize(networks).median,
        "all_else": summarize([w - n for n, w in zip(networks, walls, strict=True)]).median,
        "all_else_share": summarize([1 - n / w for n, w in zip(networks, walls, strict=True)]).median,
    }
