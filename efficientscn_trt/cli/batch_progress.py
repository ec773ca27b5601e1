"""Progress of a batch: a bar with the time left, or without a terminal a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ..batch.journal import Record
from ..io.wording import without_controls
from .stop_signals import stop_if_asked

_BETWEEN_LINES = 60.0  # seconds


@contextmanager
def show_scans(count: int, *, quiet: bool = False) -> Iterator[Callable[[Record], None]]:
    """Yield what is to be called with the record of each scan, of `count`, when it is done."""
    console = Console(stderr=True)
    columns = (MofNCompleteColumn(), BarColumn(bar_width=24), TextColumn("{task.description}"))
    begin = last = time.monotonic()
    done = failed = 0
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("loading the networks", total=count)

        def show(record: Record) -> None:
            nonlocal done, failed, last
            stop_if_asked()
            done += 1
            if record.failure:
                failed += 1
                line = without_controls(f"{record.id}: {record.failure.sentence}")
                bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
            text = _text(done, failed, count, time.monotonic() - begin)
            bar.update(task, completed=done, description=text)
            if not quiet and not console.is_terminal and time.monotonic() - last > _BETWEEN_LINES:
                last = time.monotonic()
                click.echo(f"{done} of {count} scans, {text}", err=True)

        yield show


def _text(done: int, failed: int, count: int, seconds: float) -> str:
    left = seconds / done * (count - done)
    hours, minutes = divmod(round(left / 60), 60)
    failures = f"{failed} failed, " if failed else ""
    return f"{failures}{done / seconds * 3600:,.0f} an hour, {hours}:{minutes:02d} h left"
