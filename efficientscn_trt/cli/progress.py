"""Progress on stderr: on a terminal a line with the stage and a bar, elsewhere nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .stop_signals import stop_if_asked


class Stages:
    """Shows each stage as it begins, and keeps the seconds of those that `stage` runs."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._task = progress.add_task("", total=total)
        self._begun = 0

    def begin(self, name: str, *_: int) -> None:
        """Show that a stage begins. This may be the progress callback of `Segmenter.segment`."""
        stop_if_asked()
        self._progress.update(self._task, description=name.capitalize(), completed=self._begun)
        self._begun += 1

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show and time a stage of the command itself."""
        self.begin(name)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


@contextmanager
def show_stages(total: int, *, quiet: bool = False) -> Iterator[Stages]:
    """Show `total` stages. The line disappears when they are done."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        yield Stages(bar, total)
