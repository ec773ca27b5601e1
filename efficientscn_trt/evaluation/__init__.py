"""Compare label maps with reference label maps: DSC and NSD, with mean ± SD over cases."""

from .cases import Case, Score, find_cases, score_case
from .overlap import dice
from .report import Summary, summarize, to_markdown, write_csv
from .surface import normalized_surface_distance

__all__ = [
    "Case",
    "Score",
    "Summary",
    "dice",
    "find_cases",
    "normalized_surface_distance",
    "score_case",
    "summarize",
    "to_markdown",
    "write_csv",
]
