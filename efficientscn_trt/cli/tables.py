"""Results as tables on stdout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from ..io.wording import without_controls
from ..organs import Review
from ..page.wording import format_ml, shown_name
from ..result import Segmentation

if TYPE_CHECKING:
    from rich.table import Table

    from ..demo.cases import DemoRun


def print_warnings(warnings: Iterable[object]) -> None:
    """Print each on a line of stderr."""
    for warning in warnings:
        click.echo(without_controls(f"Warning: {warning}"), err=True)


def table(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int = 1
) -> Table:
    """A table whose first `text_columns` are text and whose other columns are numbers."""
    result = _empty_table(title)
    for index, name in enumerate(header):
        result.add_column(name, justify="left" if index < text_columns else "right", overflow="fold")
    for row in rows:
        result.add_row(*row)
    return result


def facts(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    """A table of names and values, without a header."""
    result = _empty_table(title)
    result.show_header = False
    result.add_column(overflow="fold")
    result.add_column(overflow="fold")
    for row in rows:
        result.add_row(*row)
    return result


def _empty_table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        min_width=len(title),  # rich cuts a title to the width of its table
    )


def show(*tables: Table) -> None:
    """Print tables, side by side if they fit. A cell's text is printed as it is, without rich's markup."""
    from rich.columns import Columns
    from rich.console import Console

    console = Console(markup=False, emoji=False)
    with console.capture() as capture:
        console.print(Columns(tables, padding=(0, 4)))
    # Without the spaces that rich adds to each line. click.echo would write UTF-8 to an ASCII stream.
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))


def organ_table(segmentation: Segmentation) -> Table:
    """The volume of every organ, and the mean and the standard deviation of its HU."""
    rows = [
        (shown_name(name), format_ml(each.ml), f"{each.hu.mean:.0f} ± {each.hu.sd:.0f}" if each.hu else "")
        for name, each in segmentation.statistics.items()
    ]
    return table("Organs", ("Organ", "Volume", "HU"), rows)


def show_review(review: Review | None) -> None:
    """Print whether a person should look at the label map, and why. Warnings are printed elsewhere."""
    if review is None:
        return
    click.echo(f"Review: {'yes' if review.needed else 'no'}")
    for reason in review.reasons:
        if reason.organ:
            click.echo(without_controls(f"  {reason}"))


def comparison_table(run: DemoRun) -> Table:
    """The volume of every label in the label map and in the ground truth, and their DSC.

    An organ that the ground truth has not has only the first.
    """
    rows = [
        (shown_name(name), format_ml(volume), format_ml(run.truth_ml[name]), f"{100 * run.dice[name]:.1f}")
        if name in run.dice
        else (shown_name(name), format_ml(volume), "–", "–")
        for name, volume in run.segmentation.volumes_ml.items()
    ]
    return table("Organs", ("Organ", "Found", "Ground truth", "DSC (%)"), rows)


def seconds_table(seconds: Mapping[str, float]) -> Table:
    """The seconds of every stage, and their sum."""
    rows = [(name.capitalize(), f"{value:.2f}") for name, value in seconds.items()]
    return table("Time", ("Stage", "Seconds"), [*rows, ("Total", f"{sum(seconds.values()):.2f}")])


def machine_line(segmentation: Segmentation) -> str:
    """The device, precision and memory of a run."""
    peak, estimate = segmentation.peak_host_memory / 2**30, segmentation.estimated_host_memory / 2**30
    return (
        f"{segmentation.device} ({segmentation.precision}), peak memory {peak:.2f} GiB "
        f"(estimated: {estimate:.2f})"
    )


def megabytes(count: int | None) -> str:
    """A number of bytes as "12.34 MB"; "unknown" for None."""
    return "unknown" if count is None else f"{count / 1e6:.2f} MB"


def short_digest(sha256: str) -> str:
    """The first digits of a SHA-256, enough to tell files apart."""
    return f"{sha256[:12]}…"
