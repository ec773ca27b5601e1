"""The stages of a run, their times, and the callback for progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: The stages of `Segmentation.seconds` and of the progress callback, in order.
STAGES = (
    "read",
    "localization input",
    "localization",
    "segmentation input",
    "segmentation",
    "labels",
    "statistics",
)

#: Called with a stage's name, its index and the number of stages, as the stage begins.
Progress = Callable[[str, int, int], None]


class Clock:
    """Times the stages and reports each to the callback."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    def begin(self, name: str) -> None:
        """Report that a stage begins, whose time the caller sets."""
        if self._progress:
            self._progress(name, STAGES.index(name), len(STAGES))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Report a stage and time it."""
        self.begin(name)
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin
