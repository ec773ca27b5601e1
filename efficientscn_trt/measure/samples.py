"""Summaries of repeated measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Summary:
    """Median and 90th percentile of `count` samples, in the samples' unit."""

    median: float
    p90: float
    count: int


def summarize(samples: Sequence[float]) -> Summary:
    """Summarize `samples`, at least one."""
    median, p90 = np.percentile(samples, (50, 90))
    return Summary(float(median), float(p90), len(samples))


def summarize_stages(runs: Sequence[Mapping[str, float]]) -> dict[str, Summary]:
    """Summarize each stage over all `runs`, in the order of the first run's stages."""
    return {stage: summarize([run[stage] for run in runs]) for stage in runs[0]}
