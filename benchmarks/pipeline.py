"""Measure the pipeline over scan sizes: cold start, first image, warm stages, memory, with and without files.

All scans except the last show one phantom in one field of view, so only the number of voxels grows and the
box in mm stays the same. The last scan is cut to fewer slices, so its box is smaller.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import SimpleITK as sitk
from report import COLOURS, Report, figure, gib, parser, say, size_text
from scans import SIZE_XYZ, write_cut, write_phantom, write_released_bundle, write_resampled

from efficientscn_trt.measure.processes import Account, Job, run
from efficientscn_trt.measure.samples import summarize, summarize_stages
from efficientscn_trt.segmenter import STAGES

SIZES = ("256x256x64", "512x512x120", "512x512x400", "512x512x800")
CUT = 40
"""Slices of the cut scan, which has a smaller box."""


def main() -> None:
    """Measure and write."""
    arguments = _parse()
    report = Report("The pipeline over scan sizes")
    with tempfile.TemporaryDirectory() as scratch:
        arguments.bundle = write_released_bundle(arguments.bundle, Path(scratch, "bundle"))
        for name, scan in _scans(arguments, Path(scratch)):
            say(f"measuring {name}")
            first = _account(arguments, scan, Path(scratch, f"cache {name}"), repeats=0)
            again = _account(arguments, scan, Path(scratch, f"cache {name}"), repeats=arguments.repeats)
            report.results[name] = _document(scan, first, again)
            scan.unlink()
    _tables(report)
    report.write(arguments, _draw)


def _parse() -> Any:
    options = parser(__doc__)
    options.add_argument("--scan", type=Path, help="CT to resample instead of the phantom")
    options.add_argument("--sizes", nargs="+", default=list(SIZES), help="voxels, as XxYxZ")
    options.add_argument("--repeats", type=int, default=5, help="warm runs of each scan")
    options.add_argument("--device", default="auto")
    options.add_argument("--precision", default="auto")
    return options.parse_args()


def _scans(arguments: Any, folder: Path) -> Any:
    """Yield the name and the file of each scan, which is written just before."""
    for text in arguments.sizes:
        size = tuple(int(part) for part in text.split("x"))
        path = folder / f"{text}.nii.gz"
        say(f"making {size_text(size)}")
        yield size_text(size), _write(arguments, path, size)
    whole = _write(arguments, folder / "whole.nii.gz", SIZE_XYZ)
    yield f"512×512×{CUT}, cut", write_cut(whole, folder / "cut.nii.gz", CUT)


def _write(arguments: Any, path: Path, size: Sequence[int]) -> Path:
    if arguments.scan:
        return write_resampled(sitk.ReadImage(str(arguments.scan)), path, size)
    return write_phantom(path, size)


def _account(arguments: Any, scan: Path, cache: Path, repeats: int) -> Account:
    own = {
        "bundle": str(arguments.bundle.absolute()),
        "device": arguments.device,
        "precision": arguments.precision,
        "threads": arguments.threads,
    }
    return run(Job("efficientscn_trt.measure.candidate:OwnPipeline", own, scan, repeats=repeats, cache=cache))


def _document(scan: Path, first: Account, again: Account) -> dict[str, Any]:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(scan))
    reader.ReadImageInformation()
    return {
        "note": again.note,
        "voxels": math.prod(reader.GetSize()),
        "scan_bytes": math.prod(reader.GetSize()) * 2,
        "box_mm": again.box_mm,
        "input_sizes": again.input_sizes,
        "first_ever": first.cold,
        "cold": again.cold,
        "load": again.load,
        "warm": asdict(summarize(again.warm_total)),
        "files": asdict(summarize(again.files_total)),
        "stages": {stage: asdict(summary) for stage, summary in summarize_stages(again.warm).items()},
        # Peak of one run from the scan's file to its label map, as users run it.
        "peak_bytes": first.peak,
        "peak_warm_bytes": again.peak,
    }


def _tables(report: Report) -> None:
    results = report.results
    names = list(results)
    base = results.get("512×512×120")
    report.text(
        f"{results[names[0]]['note']}; memory is the peak of one run from the scan's file to its label map."
    )
    report.table(
        (
            "Scan",
            "Network sees",
            "First ever (s)",
            "Cold (s)",
            "Warm (s)",
            "p90 (s)",
            "With files (s)",
            "Peak memory (GiB)",
            "Scan itself (GiB)",
            "Peak without the scan (× 512×512×120)",
        ),
        [
            [
                name,
                size_text(result["input_sizes"]["segmentation"]),
                f"{result['first_ever']:.2f}",
                f"{result['cold']:.2f}",
                f"{result['warm']['median']:.2f}",
                f"{result['warm']['p90']:.2f}",
                f"{result['files']['median']:.2f}",
                gib(result["peak_bytes"]),
                gib(result["scan_bytes"]),
                f"{_without_scan(result) / _without_scan(base):.2f}" if base else "",
            ]
            for name, result in results.items()
        ],
    )
    report.table(
        ("Warm, median (p90) seconds", *names),
        [
            [
                stage.capitalize(),
                *(
                    f"{results[name]['stages'][stage]['median']:.3f} "
                    f"({results[name]['stages'][stage]['p90']:.3f})"
                    for name in names
                ),
            ]
            for stage in STAGES
        ],
    )


def _without_scan(result: Mapping[str, Any]) -> float:
    """Peak memory without the scan's own bytes."""
    return float(result["peak_bytes"] - result["scan_bytes"])


def _draw(results: Mapping[str, Any]) -> Any:
    picture = figure(9, 4)
    time_axes, memory_axes = picture.subplots(1, 2)
    names = list(results)
    bottom = [0.0] * len(names)
    for stage, colour in zip(STAGES, COLOURS, strict=True):
        heights = [results[name]["stages"][stage]["median"] for name in names]
        time_axes.bar(names, heights, bottom=bottom, color=colour, label=stage.capitalize())
        bottom = [a + b for a, b in zip(bottom, heights, strict=True)]
    time_axes.set_ylabel("Warm run, median seconds")
    scan = [results[name]["scan_bytes"] / 2**30 for name in names]
    rest = [_without_scan(results[name]) / 2**30 for name in names]
    memory_axes.bar(names, rest, color=COLOURS[0], label="all else")
    memory_axes.bar(names, scan, bottom=rest, color=COLOURS[5], label="the scan itself")
    memory_axes.set_ylabel("Peak host memory (GiB)")
    memory_axes.legend(frameon=False)
    time_axes.legend(frameon=False, fontsize=8)
    for axes in (time_axes, memory_axes):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="x", labelrotation=20)
    return picture


if __name__ == "__main__":
    main()
