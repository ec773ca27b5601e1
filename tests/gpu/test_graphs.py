"""A network that only queues work is recorded, replayed and timed on the GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cuda_driver import copy_on_device
from support.device_scans import SPACING, make_scan, on_gpu
from support.fake_pipeline import FakePipeline, check, smooth_probabilities

TRIAL = [False] * 4 + [True] * 3  # a first run, three plain ones and three replays


class QueuedMemory:
    """What a network gives comes from copies that the GPU keeps, so that nothing waits for the stream.

    Such a network cannot see what it is given.
    """

    def __init__(self) -> None:
        self.kept: dict[bytes, Any] = {}

    def read(self, address: int, shape: tuple[int, ...], dtype: Any, stream: int) -> np.ndarray:
        return np.zeros(shape, dtype)

    def write(self, address: int, array: np.ndarray, stream: int) -> None:
        content = np.ascontiguousarray(array).tobytes()
        if content not in self.kept:
            self.kept[content] = on_gpu(np.frombuffer(content, np.uint8))
        copy_on_device(address, self.kept[content].owner.address, len(content), stream)


def block_mask(image: np.ndarray) -> np.ndarray:
    """True in the middle, whatever the image."""
    mask = np.zeros(image.shape, np.bool_)
    mask[..., 2:6, 2:7, 2:8] = True
    return mask


def waves(image: np.ndarray) -> np.ndarray:
    """Probabilities that depend on the place alone."""
    places = np.arange(image.size, dtype=np.float32).reshape(image.shape)
    return smooth_probabilities(places / image.size)


@pytest.mark.parametrize("half", [False, True])
def test_a_network_is_replayed_at_a_size_that_repeats(half: bool) -> None:
    pipeline = FakePipeline(
        seed=None,
        half=half,
        graphs=True,
        memory=QueuedMemory(),
        localization_function=block_mask,
        segmentation_function=waves,
        options={"activation": lambda shape: 1 << 20},
    )
    replayed = []
    for _ in range(len(TRIAL) + 3):
        check(pipeline, make_scan(40, (30, 40, 50)), SPACING)
        replayed.append(pipeline.pipeline.replays)
    assert replayed[: len(TRIAL)] == TRIAL
    assert len(set(replayed[len(TRIAL) :])) == 1  # the faster way is kept, whichever that is here
    check(pipeline, make_scan(41, (60, 70, 80)), SPACING)
