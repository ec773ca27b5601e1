"""Progress on stderr: on a terminal a line with the stage and a bar, elsewhere nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .stop_signals import stop_if_asked


class Stages:
    """Shows each stage as it begins, and keeps the seconds of those that `stage` runs."""

    def __init__(self, show: Callable[[str, int], None] | None = None) -> None:
        """`show` is called with the name of a stage, and how many were begun before it."""
        self.seconds: dict[str, float] = {}
        self._show = show
        self._begun = 0

    def begin(self, name: str, *_: int) -> None:
        """Show that a stage begins. This may be the progress callback of `Segmenter.segment`."""
        stop_if_asked()
        if self._show:
            self._show(name.capitalize(), self._begun)
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
    """Show `total` stages, unless `quiet`. The line disappears when they are done."""
    if quiet:
        yield Stages()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield Stages(lambda name, begun: bar.update(task, description=name, completed=begun))
