"""The tables of `efficientscn-trt benchmark`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measure.samples import Summary, summarize, summarize_stages
from .tables import table

if TYPE_CHECKING:
    from rich.table import Table

    from ..measure.one_minute import Figures


def tables(figures: Figures) -> list[Table]:
    """The time and memory of a scan, its stages and, on a CPU, the networks beside direct convolutions."""
    first, later = figures.first_ever, figures.later
    size = "×".join(str(n) for n in figures.size_xyz)
    title = f"A scan of {size} voxels, {later.note}"
    rows = [
        ("First label map, first process", f"{first.cold:.2f} s"),
        ("First label map, later processes", f"{later.cold:.2f} s"),
        ("  of that, loading the networks", f"{later.load:.2f} s"),
        ("Further scans, in memory", _seconds(summarize(later.warm_total))),
        ("Further scans, file to file", _seconds(summarize(later.files_total))),
        ("Peak memory, one scan", f"{first.peak / 2**30:.2f} GiB"),
        ("Peak memory, many scans", f"{later.peak / 2**30:.2f} GiB"),
    ]
    summaries = summarize_stages(later.warm)
    stages = [
        (stage.capitalize(), f"{summary.median:.3f}", f"{summary.p90:.3f}")
        for stage, summary in summaries.items()
    ]
    result = [
        table(title, ("", "Figure"), rows),
        table("Stages in memory", ("Stage", "Median (s)", "90th percentile (s)"), stages),
    ]
    if figures.peak_flops is not None:
        networks = [
            (
                name.capitalize(),
                f"{figures.convolutions_at_peak(name):.3f}",
                f"{summaries[name].median:.3f}",
                f"{figures.share_of_peak(name):.2f}",
            )
            for name in figures.flop
        ]
        heading = f"Direct convolutions at {figures.peak_flops / 1e9:.0f} GFLOP/s"
        header = ("Network", "Direct (s)", "Network (s)", "Speed-up")
        result.append(table(heading, header, networks))
    return result


def _seconds(summary: Summary) -> str:
    return f"{summary.median:.2f} s (90th percentile {summary.p90:.2f} s, {summary.count} runs)"
