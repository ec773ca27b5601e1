"""Progress while engines are built: a bar for the networks, and a bar for TensorRT's current phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Phase = Callable[[str, int, int], None]


@contextmanager
def show_builds(networks: int, *, quiet: bool = False) -> Iterator[Callable[[str], Phase]]:
    """Yield the `progress` of `build_engines`. The bars disappear when the block ends."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<36.36}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        overall = bar.add_task("", total=networks)
        phases = bar.add_task("", total=None)
        begun = 0

        def begin(network: str) -> Phase:
            nonlocal begun
            bar.update(overall, description=network.capitalize(), completed=begun)
            begun += 1
            return lambda phase, done, steps: bar.update(
                phases, description=phase, completed=done, total=steps
            )

        yield begin
