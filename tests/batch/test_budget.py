"""Scans in flight stay within the memory that they share; the numbers are computed by hand."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from efficientscn_trt.batch.budget import MemoryBudget, Share, StoppedError
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.io.unread import Unread
from efficientscn_trt.pipeline.memory_limit import MemoryLimit
from efficientscn_trt.pipeline.need import MemoryNeed


def _budget(most: int, loaded: int = 0, kept: int = 0) -> MemoryBudget:
    return MemoryBudget(cast(MemoryLimit, SimpleNamespace(most=most, loaded=loaded, kept=kept)))


def _is_admitted(budget: MemoryBudget, share: Share) -> bool:
    """Whether `share` gets in without waiting."""
    thread = threading.Thread(target=_entered, args=(budget, share))
    thread.start()
    while thread.is_alive() and share not in budget._waiting:
        thread.join(0.001)
    thread.join(0.05)
    return not thread.is_alive()


def _entered(budget: MemoryBudget, share: Share) -> None:
    with suppress(StoppedError):
        budget.enter(share)


def test_a_share_is_what_each_part_of_a_run_takes() -> None:
    scan = Unread.in_file("", Geometry((10, 10, 10), (1.0, 1.0, 1.0)), np.dtype(np.int16), reading=2600)
    share = Share.of(scan, MemoryNeed(reading=2600, localization=2900, segmentation=9000, labels=5000))
    assert (share.rest, share.reading, share.running) == (2000, 600, 7000)
    small = Unread.in_memory("", Geometry((10, 10, 10), (1.0, 1.0, 1.0)), np.zeros((10, 10, 10), np.int16))
    share = Share.of(small, MemoryNeed(reading=2000, localization=2100, segmentation=2200, labels=3000))
    assert (share.rest, share.reading, share.running) == (3000, 0, 0)  # the caller's voxels, and labels


def test_the_networks_run_for_one_scan_at_a_time() -> None:
    budget = _budget(most=1000, loaded=100)
    for room in (100, 200, 300):  # 3 × 100, of which the largest takes 500 more: 800; the last makes 900
        assert _is_admitted(budget, Share(100, 0, 500 if room == 200 else 50))
    assert _is_admitted(budget, Share(100, 0, 500))
    late = Share(1, 0, 0)
    assert not _is_admitted(budget, late)
    budget.stop()


def test_what_reading_takes_counts_until_it_was_read() -> None:
    budget = _budget(most=1000)
    first, second = Share(100, 700, 0), Share(100, 200, 0)
    assert _is_admitted(budget, first)
    assert not _is_admitted(budget, second)
    budget.was_read(first)
    while second not in budget._admitted:
        pass
    budget.leave(first)
    assert _is_admitted(budget, Share(700, 0, 0))


def test_one_that_is_alone_is_admitted_and_those_behind_it_wait() -> None:
    budget = _budget(most=1000)
    small, huge, late = Share(10, 0, 0), Share(2000, 0, 0), Share(10, 0, 0)
    assert _is_admitted(budget, small)
    assert not _is_admitted(budget, huge)
    assert not _is_admitted(budget, late)  # or else small ones could pass it for ever
    budget.leave(small)
    while huge not in budget._admitted:
        pass
    assert late in budget._waiting
    budget.leave(huge)
    while late not in budget._admitted:
        pass


def test_memory_that_the_networks_keep_counts() -> None:
    budget = _budget(most=1000, kept=800)
    assert _is_admitted(budget, Share(100, 0, 0))
    assert not _is_admitted(budget, Share(101, 0, 0))
    budget.stop()


def test_nobody_waits_after_the_stop() -> None:
    budget = _budget(most=1000)
    budget.enter(Share(1000, 0, 0))
    budget.stop()
    with pytest.raises(StoppedError):
        budget.enter(Share(1000, 0, 0))
