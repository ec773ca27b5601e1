"""The engines in the tables of `efficientscn-trt info`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import click

from ..bundle import Bundle
from ..engines import EngineRow
from .tables import megabytes, show, table


def show_engines(rows: list[EngineRow], bundle: Bundle) -> None:
    """Print the engines, those of one build together, and why a build is not used here."""
    for heading, engines in groupby(rows, key=lambda row: _heading(row, bundle.path)):
        click.echo(heading)
        show(table("", ("Network", "Precision", "Size", "Activation"), map(_row, engines), text_columns=2))


def _heading(row: EngineRow, bundle: Path) -> str:
    """All that the engines of one build have in common."""
    engine = row.engine
    use = "used here" if row.used else "not usable here" if row.problem else "usable here"
    lean = " (or its lean runtime)" if engine.version_compatible else ""
    lines = [
        f"Engines for {engine.flavour} {engine.version}{lean}: {use}",
        f"on {engine.platform}, compute capability {' '.join(engine.compute_capabilities)}",
    ]
    if engine.verified is None:
        lines.append("not verified when they were built")
    else:
        lines.append(f"verified on {engine.verified.gpu} with {engine.verified.input}")
    if row.path != bundle:
        lines.append(f"in the user's cache, {row.path}")
    lines += [sentence for sentence in (row.problem, row.note) if sentence]
    return "\n".join(lines)


def _row(row: EngineRow) -> tuple[str, ...]:
    engine = row.engine
    memory = engine.activation_memory
    largest = memory.largest if memory else None
    return engine.network, engine.precision, megabytes(engine.bytes), megabytes(largest)
