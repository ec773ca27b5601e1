"""The tables of `efficientscn-trt benchmark`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measure.samples import Summary, summarize, summarize_stages
from .tables import table

if TYPE_CHECKING:
    from rich.table import Table

    from ..measure.one_minute import Figures


def tables(figures: Figures) -> list[Table]:
    """Time and memory of a scan; its stages; on a CPU, the networks beside its convolutions."""
    first, later = figures.first_ever, figures.later
    size = "×".join(str(n) for n in figures.size_xyz)
    title = f"A scan of {size} voxels, {later.note}"
    rows = [
        ("First label map on a new machine", f"{first.cold:.2f} s"),
        ("First label map on any later day", f"{later.cold:.2f} s"),
        ("  of which until the networks are ready", f"{later.load:.2f} s"),
        ("Every further scan, in memory", _seconds(summarize(later.warm_total))),
        ("Every further scan, file to file", _seconds(summarize(later.files_total))),
        ("Peak memory, one scan", f"{first.peak / 2**30:.2f} GiB"),
        ("Peak memory, many scans", f"{later.peak / 2**30:.2f} GiB"),
    ]
    stages = [
        (stage.capitalize(), f"{summary.median:.3f}", f"{summary.p90:.3f}")
        for stage, summary in summarize_stages(later.warm).items()
    ]
    result = [
        table(title, ("", "Figure"), rows),
        table("Stages in memory", ("Stage", "Median (s)", "90% (s)"), stages),
    ]
    if figures.peak_flops is not None:
        networks = [
            (
                name.capitalize(),
                f"{figures.convolutions_at_peak(name):.3f}",
                f"{100 * figures.share_of_peak(name):.0f}",
            )
            for name in figures.flop
        ]
        heading = f"Convolutions term by term, {figures.peak_flops / 1e9:.0f} GFLOP/s at best"
        result.append(table(heading, ("Network", "At best (s)", "Of the best (%)"), networks))
    return result


def _seconds(summary: Summary) -> str:
    return f"{summary.median:.2f} s (90%: {summary.p90:.2f} s, {summary.count} runs)"
