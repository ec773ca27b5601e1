"""Other CUDA contexts of the process are recognised as such, and left as they were."""

from __future__ import annotations

import numpy as np
from support.cuda_driver import context_of_its_own, current_context, memory_of_context
from support.device_scans import SPACING, make_scan
from support.fake_pipeline import FakePipeline, check


def test_memory_of_another_context_is_recognised() -> None:
    pipeline = FakePipeline()
    with context_of_its_own(), memory_of_context(1 << 20) as address:
        assert pipeline.pipeline.place_of(address) == (0, True)
        assert pipeline.pipeline.place_of(np.zeros(8).ctypes.data) == (-1, False)


def test_the_context_of_the_caller_stays_current() -> None:
    before = current_context()
    pipeline = FakePipeline()
    assert current_context() == before
    with context_of_its_own() as context:
        check(pipeline, make_scan(1, (34, 45, 57)), SPACING)
        pipeline.pipeline.trim()
        del pipeline
        assert current_context() == context
