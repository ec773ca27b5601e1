"""The export's report as rows of text, for a table on a terminal."""

from __future__ import annotations

from .compare import Difference
from .steps import NetworkReport

HEADER = ("Step", "Nodes", "After", "Places", "Largest\ndifference", "Agreement", "Seconds")

DASH = "–"


def title(report: NetworkReport) -> str:
    """What the table is about: the network, its parameters and the size that it was checked at."""
    size = " × ".join(str(length) for length in report.input_size)
    return f"{report.role.capitalize()}: {report.parameters:,} parameters, checked at {size} voxels (z, y, x)"


def rows(report: NetworkReport) -> list[tuple[str, ...]]:
    """A row a step, one for their end against the SavedModel, and one for the float16 form against that."""
    table = [
        (
            step.name,
            str(step.before),
            str(step.after),
            DASH if step.changed is None else str(step.changed),
            *_difference(step.difference),
            f"{step.seconds:.1f}",
        )
        for step in report.steps
    ]
    first, last = report.steps[0], report.steps[-1]
    seconds = sum(step.seconds for step in report.steps)
    end = _difference(report.reference)
    half = report.float16
    return [
        *table,
        ("SavedModel → ONNX", str(first.before), str(last.after), DASH, *end, f"{seconds:.1f}"),
        (
            "float16 (TensorRT)",
            str(half.before),
            str(half.after),
            DASH,
            *_difference(half.difference),
            f"{half.seconds:.1f}",
        ),
    ]


def _difference(change: Difference | None) -> tuple[str, str]:
    if change is None:
        return DASH, DASH
    largest = DASH if change.largest is None else f"{change.largest:.1e}"
    return largest, f"{100 * change.agreement:.4f}%"
