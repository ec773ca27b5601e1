"""The statistics of organs as a document and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..organs import OrganStatistics
from .csv_file import write_csv


def described(statistics: OrganStatistics) -> dict[str, Any]:
    """The numbers of one organ. What an organ that was not found lacks is None.

    Positions are (x, y, z) in mm in the coordinates of the patient (LPS), `box_voxels` is [z, y, x] in the
    scan's own axes.
    """
    hu, extent, pieces = statistics.hu, statistics.extent, statistics.pieces_ml
    confidence = statistics.confidence
    return {
        "voxels": statistics.voxels,
        "ml": statistics.ml,
        "mean_hu": hu and hu.mean,
        "sd_hu": hu and hu.sd,
        "p5_hu": hu and hu.p5,
        "median_hu": hu and hu.median,
        "p95_hu": hu and hu.p95,
        "pieces": len(pieces),
        "largest_piece_ml": pieces[0] if pieces else None,
        "borders": "".join(extent.borders) if extent else "",
        "confidence": confidence and confidence.mean,
        "uncertain_boundary": confidence and confidence.uncertain_boundary,
        "centre_mm": extent and extent.centre_mm,
        "start_mm": extent and extent.start_mm,
        "end_mm": extent and extent.end_mm,
        "box_voxels": extent and [[part.start, part.stop] for part in extent.voxels],
    }


def write_organ_table(path: Path, statistics: Mapping[str, OrganStatistics]) -> None:
    """Write `statistics` to `path` as CSV, a row for each organ. Raises OutputError."""
    rows = [{"organ": name, **dict(_row(each))} for name, each in statistics.items()]
    write_csv(path, ["organ", *dict(_row(OrganStatistics(0, 0.0, (), None, None)))], rows)


def _row(statistics: OrganStatistics) -> Iterator[tuple[str, Any]]:
    for name, value in described(statistics).items():
        if name.endswith("_mm"):
            for axis, number in zip("xyz", value or (None,) * 3, strict=True):
                yield f"{name.removesuffix('_mm')}_{axis}_mm", number
        elif name != "box_voxels":
            yield name, value
