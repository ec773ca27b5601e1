"""The arena on a device: what it holds, its peak, and its state when there is not enough memory."""

from __future__ import annotations

import numpy as np
import pytest
from support.device_scans import SPACING, make_scan
from support.fake_pipeline import FakePipeline, check

from efficientscn_trt import DeviceError, _core


def test_it_grows_keeps_what_it_has_and_is_trimmed() -> None:
    arena = _core.Arena(0)
    assert (arena.capacity, arena.peak) == (0, 0)
    arena.reserve(1000)
    arena.reserve(400)
    assert (arena.capacity, arena.peak) == (1000, 1000)
    arena.reserve(5000)
    arena.trim(2000)
    assert (arena.capacity, arena.peak) == (2000, 5000)
    arena.reset_peak()
    assert arena.peak == 2000
    arena.trim()
    arena.reserve(100)
    assert (arena.capacity, arena.peak) == (100, 2000)


def test_memory_that_is_not_there_leaves_it_empty_and_usable() -> None:
    arena = _core.Arena(0)
    arena.reserve(1000)
    with pytest.raises(DeviceError, match=r"The GPU has \d+ MB of its \d+ MB free, but \d+ MB are needed"):
        arena.reserve(1 << 50)
    assert arena.capacity == 0
    arena.reserve(1000)
    assert (arena.capacity, arena.peak) == (1000, 1000)


def test_memory_that_the_gpu_does_not_have() -> None:
    with pytest.raises(DeviceError, match=r"The GPU has \d+ MB of its \d+ MB free, but \d+ MB are needed"):
        _core.DeviceBlock(1 << 50, 0)
    check(FakePipeline(), make_scan(11, (34, 45, 57)), SPACING)


def test_a_pipeline_keeps_its_arena_reports_its_peak_and_trims_it() -> None:
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
