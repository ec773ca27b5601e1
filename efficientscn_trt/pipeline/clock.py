"""The stages of a run, their times, and who is told of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: What `Segmentation.seconds` and the progress callback name, in order.
STAGES = (
    "read",
    "localization input",
    "localization",
    "segmentation input",
    "segmentation",
    "labels",
)

#: Called with a stage's name, its index and the number of stages, as the stage begins.
Progress = Callable[[str, int, int], None]


class Clock:
    """Times the stages and tells the callback of each."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    def begin(self, name: str) -> None:
        """Tell that a stage begins, which somebody else times."""
        if self._progress:
            self._progress(name, STAGES.index(name), len(STAGES))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Tell of a stage and time it."""
        self.begin(name)
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin
