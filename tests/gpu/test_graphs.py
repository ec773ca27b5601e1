"""A network that only queues work is captured, replayed and timed; the faster way is kept for each size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from support.device_scans import SPACING, make_scan
from support.fake_memory import QueuedMemory
from support.fake_pipeline import FakePipeline, check, smooth_probabilities

from efficientscn_trt import _core
from efficientscn_trt.errors import DeviceError

SMALL, LARGE = (30, 40, 50), (60, 70, 80)
TRIAL = [False] * 4 + [True] * 3  # a first run, three plain ones and three replays


def block_mask(image: np.ndarray) -> np.ndarray:
    """True in the middle, whatever is in the image."""
    mask = np.zeros(image.shape, np.bool_)
    z, y, x = (slice(extent // 4, extent // 2) for extent in image.shape[-3:])
    mask[..., z, y, x] = True
    return mask


def waves(image: np.ndarray) -> np.ndarray:
    """Probabilities that depend only on the position."""
    places = np.arange(image.size, dtype=np.float32).reshape(image.shape)
    return smooth_probabilities(places / image.size)


def capturable(**options: Any) -> FakePipeline:
    """A pipeline with graphs, whose networks can be captured."""
    return FakePipeline(
        graphs=True,
        memory=QueuedMemory(),
        localization_function=block_mask,
        segmentation_function=waves,
        **options,
    )


def replays(pipeline: FakePipeline, sizes: Sequence[tuple[int, int, int]]) -> list[bool]:
    """Segment scans of these sizes, check them against the CPU, and return which runs were replayed."""
    replayed = []
    for size in sizes:
        check(pipeline, make_scan(40, size), SPACING)
        replayed.append(pipeline.pipeline.replays)
    return replayed


@pytest.mark.parametrize("half", [False, True])
def test_a_network_is_replayed_at_a_size_that_repeats(half: bool) -> None:
    pipeline = capturable(half=half)
    replayed = replays(pipeline, [SMALL] * (len(TRIAL) + 3))
    assert replayed[: len(TRIAL)] == TRIAL
    assert len(set(replayed[len(TRIAL) :])) == 1  # the faster way is kept, whichever that is here
    check(pipeline, make_scan(41, LARGE), SPACING)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(("share", "pays"), [("0.5", True), ("1.5", False)])
def test_networks_are_replayed_from_graphs_where_that_is_faster(
    share: str, pays: bool, half: bool, replay_share: Callable[[str], None]
) -> None:
    replay_share(share)
    pipeline = capturable(half=half)
    assert replays(pipeline, [SMALL] * 10) == TRIAL + [pays] * 3
    assert replays(pipeline, [LARGE] * 8) == [*TRIAL, pays]
    assert replays(pipeline, [SMALL] * 3) == [False, pays, pays]  # the measured choice is remembered


def test_a_graph_is_not_replayed_in_other_memory(replay_share: Callable[[str], None]) -> None:
    replay_share("0.5")
    pipeline = capturable()
    assert replays(pipeline, [SMALL] * 8) == [*TRIAL, True]
    size = pipeline.pipeline.arena_capacity
    pipeline.pipeline.trim()
    held = _core.DeviceBlock(size, 0)  # probably where the arena was
    assert replays(pipeline, [SMALL] * 3) == [False, True, True]
    assert held.address


def test_sizes_that_take_turns_are_not_replayed() -> None:
    assert not any(replays(capturable(), [SMALL, LARGE] * 8))


def test_a_network_that_fails_while_it_is_timed_leaves_the_pipeline_usable(
    replay_share: Callable[[str], None],
) -> None:
    replay_share("0.5")
    pipeline = capturable()
    assert replays(pipeline, [SMALL] * 3) == TRIAL[:3]
    pipeline.segmentation.contexts[0].failing = "execute_async_v3"
    with pytest.raises(DeviceError, match="failed in execute_async_v3"):
        pipeline.segment(make_scan(40, SMALL), SPACING)
    pipeline.segmentation.contexts[0].failing = ""
    assert replays(pipeline, [SMALL] * 5) == [False] + [True] * 4  # the run that failed was not timed


def test_a_network_that_cannot_be_captured_runs_plainly() -> None:
    pipeline = FakePipeline(graphs=True)  # NumPy's network waits for the stream, which a capture forbids
    assert not any(replays(pipeline, [SMALL] * 6))
