"""The export's report as rows of text, for a table on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from efficientscn_trt.io.label_details import LabelDetails
from efficientscn_trt.io.segments import Concept
from efficientscn_trt.io.wording import by_axis

from .compare import Difference
from .steps import NetworkReport, Step

HEADER = ("Step", "Nodes\nbefore", "Nodes\nafter", "Places", "Largest\ndifference", "Agreement", "Seconds")

LEGEND = """\
Places: how many places of the graph the step changed. Each step is compared with the one
before it. The last rows compare the result with the SavedModel, and the CPU core and
both float16 forms with the result."""

LABEL_HEADER = ("Value", "Name", "DICOM type", "Modifier")

DASH = "–"


def title(report: NetworkReport) -> str:
    """Return the table's title: the network, its parameters and the size that it was checked at."""
    size = by_axis(report.input_size)
    return f"{report.role.capitalize()}: {report.parameters:,} parameters, checked at {size} voxels (z, y, x)"


def rows(report: NetworkReport) -> list[tuple[str, ...]]:
    """Return one row per step, and a row for each comparison of whole networks.

    These compare the final network with the SavedModel, and its other forms with the final network.
    """
    first, last = report.steps[0], report.steps[-1]
    seconds = sum(step.seconds for step in report.steps)
    end = _difference(report.reference)
    return [
        *(_row(step.name, step) for step in report.steps),
        ("SavedModel → ONNX", str(first.before), str(last.after), DASH, *end, f"{seconds:.1f}"),
        *([_row("CPU core", report.core)] if report.core else []),
        _row("float16", report.float16),
        _row("float16 sums", report.float16_sums),
    ]


def label_rows(labels: Sequence[LabelDetails]) -> list[tuple[str, ...]]:
    """Return one row per label: its value, its name, and what it is in DICOM's codes."""
    return [
        (str(value), label.name, _coded(label.type), _coded(label.modifier))
        for value, label in enumerate(labels, 1)
    ]


def _coded(concept: Concept | None) -> str:
    return DASH if concept is None else f"{concept.scheme} {concept.code} {concept.meaning}"


def _row(name: str, step: Step) -> tuple[str, ...]:
    return (
        name,
        str(step.before),
        str(step.after),
        DASH if step.changed is None else str(step.changed),
        *_difference(step.difference),
        f"{step.seconds:.1f}",
    )


def _difference(change: Difference | None) -> tuple[str, str]:
    if change is None:
        return DASH, DASH
    largest = DASH if change.largest is None else f"{change.largest:.1e}"
    return largest, f"{100 * change.agreement:.4f}%"
