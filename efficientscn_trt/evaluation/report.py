"""Scores as tables: CSV per case and label, and Markdown with mean ± SD as in the paper's Table 5."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import mean, stdev

from ..io.atomic import replacing
from .cases import TOLERANCE_MM, Score


@dataclass(frozen=True)
class Summary:
    """One label over all cases. The SD is that of a sample (n − 1); it is None for one case."""

    label: str
    cases: int
    dsc_mean: float
    dsc_sd: float | None
    nsd_mean: float
    nsd_sd: float | None

    @property
    def dsc(self) -> str:
        """DSC in percent, "97.60 ± 2.10"."""
        return _percent(self.dsc_mean, self.dsc_sd)

    @property
    def nsd(self) -> str:
        """NSD in percent."""
        return _percent(self.nsd_mean, self.nsd_sd)


def summarize(scores: Sequence[Score]) -> list[Summary]:
    """Mean and SD of each label over its cases. Labels keep the order of their first scores."""
    summaries = []
    for label in dict.fromkeys(score.label for score in scores):
        own = [score for score in scores if score.label == label]
        dsc, nsd = [score.dsc for score in own], [score.nsd for score in own]
        summaries.append(Summary(label, len(own), mean(dsc), _sd(dsc), mean(nsd), _sd(nsd)))
    return summaries


def write_csv(scores: Sequence[Score], path: Path) -> None:
    """Write one line per case and label: DSC and NSD from 0 to 1, volumes in ml. Raises OutputError."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Score)])
        writer.writeheader()
        writer.writerows(asdict(score) for score in scores)


def to_markdown(scores: Sequence[Score]) -> str:
    """Mean ± SD of each label, then every case, in percent."""
    summaries = summarize(scores)
    cases = list(dict.fromkeys(score.case for score in scores))
    lines = [
        f"DSC and NSD (tolerance {TOLERANCE_MM:g} mm) in percent, mean ± SD, {len(cases)} cases.",
        "",
        "| Organ | DSC (%) | NSD (%) |",
        "| --- | --- | --- |",
        *(f"| {s.label.capitalize()} | {s.dsc} | {s.nsd} |" for s in summaries),
        "",
        "| Case | " + " | ".join(f"{s.label.capitalize()} DSC | NSD" for s in summaries) + " |",
        "| --- |" + " --- | --- |" * len(summaries),
    ]
    for case in cases:
        own = [score for score in scores if score.case == case]
        cells = [f"{100 * value:.2f}" for score in own for value in (score.dsc, score.nsd)]
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _sd(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def _percent(value: float, sd: float | None) -> str:
    return f"{100 * value:.2f}" + ("" if sd is None else f" ± {100 * sd:.2f}")
