"""Compare this package with what a user would pick instead, on one scan, in one run.

Several rounds measure the candidates one after the other, each in a fresh process. Times are wall times:
"cold" is from the start of the process to the first label map, "warm" is for an image in memory, and "files"
is from a .nii.gz to a .nii.gz. Each candidate reads, holds and writes images as its users do. Memory is the
largest resident set size of a process that does all three.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from report import COLOURS, Report, figure, parser, say, size_text
from scans import INPUT_ZYX, write_phantom, write_released_bundle

from efficientscn_trt import bundle as bundles
from efficientscn_trt.backends.survey import survey
from efficientscn_trt.evaluation import dice
from efficientscn_trt.measure.processes import Account, Job, run
from efficientscn_trt.measure.samples import Summary, summarize, summarize_stages
from efficientscn_trt.segmenter import STAGES

HERE = Path(__file__).resolve().parent
OWN = "efficientscn_trt.measure.candidate:OwnPipeline"
REFERENCE = "TensorFlow"
"""The candidate that the × columns compare the others with."""


@dataclass
class Entry:
    """A candidate of the comparison, and its accounts, one per process."""

    name: str
    candidate: str
    arguments: dict[str, Any]
    accounts: list[Account] = field(default_factory=list)

    @property
    def warm(self) -> Summary:
        return summarize([seconds for account in self.accounts for seconds in account.warm_total])

    @property
    def cpu(self) -> Summary:
        """CPU seconds of a warm run, all cores together."""
        return summarize([seconds for account in self.accounts for seconds in account.warm_cpu])

    @property
    def files(self) -> Summary:
        return summarize([seconds for account in self.accounts for seconds in account.files_total])

    @property
    def first_ever(self) -> float:
        """Seconds to the first label map on a machine that has compiled nothing before."""
        return self.accounts[0].cold

    @property
    def cold(self) -> float:
        """Seconds to the first label map, the median of all processes after the first."""
        return float(np.median([account.cold for account in self.accounts[1:] or self.accounts]))

    @property
    def peak(self) -> int:
        return max(account.peak for account in self.accounts)

    @property
    def stages(self) -> dict[str, Summary]:
        return summarize_stages([stages for account in self.accounts for stages in account.warm])


def main() -> None:
    """Measure and write."""
    arguments = _parse()
    report = Report("One scan, this package and its peers")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        arguments.bundle = write_released_bundle(arguments.bundle, folder / "bundle")
        scan = arguments.scan
        if scan is None:
            say("drawing the phantom")
            scan = write_phantom(folder / "phantom.nii.gz")
        entries = _entries(arguments, folder)
        _measure(entries, scan, arguments, folder)
        _check_boxes(entries, expected=arguments.scan is None)
        _fill(report, entries, scan, folder)
    report.write(arguments, _draw)


def _parse() -> Any:
    options = parser(__doc__)
    options.add_argument("--scan", type=Path, help="CT to segment instead of the phantom")
    options.add_argument("--rounds", type=int, default=2, help="processes of each candidate")
    options.add_argument("--repeats", type=int, default=2, help="warm runs per process")
    options.add_argument("--without", nargs="*", default=[], metavar="PEER", help="tensorflow, onnxruntime")
    return options.parse_args()


def _entries(arguments: Any, folder: Path) -> list[Entry]:
    bundle = {"bundle": str(arguments.bundle.absolute()), "threads": arguments.threads}
    entries = []
    for device in survey(bundles.load(arguments.bundle)):
        if device.problem is None:
            for precision in device.precisions:
                chosen = {"device": device.device, "precision": precision}
                entries.append(Entry(f"efficientscn-trt {device.device} {precision}", OWN, bundle | chosen))
    if "tensorflow" not in arguments.without:
        entries.append(Entry(REFERENCE, "candidates.tensorflow_pipeline:TensorflowPipeline", bundle))
    if "onnxruntime" not in arguments.without:
        say("converting the networks for ONNX Runtime, without graph passes")
        plain = folder / "plain"
        run_apart("candidates.plain:convert", str(arguments.bundle.absolute()), str(plain))
        more = bundle | {"plain": str(plain)}
        candidate = "candidates.onnxruntime_networks:onnxruntime_pipeline"
        entries.append(Entry("ONNX Runtime, plain conversion", candidate, more))
    if _has_cuda_pytorch():
        candidate = "candidates.pytorch_networks:pytorch_pipeline"
        entries += [
            Entry("PyTorch float32", candidate, bundle),
            Entry("PyTorch float16", candidate, bundle | {"half": True}),
        ]
    return entries


def run_apart(function: str, *folders: str) -> None:
    """Call `function` of this folder with paths, in a separate process that frees its memory at its end."""
    import subprocess
    import sys

    module, name = function.split(":")
    program = (
        f"import sys; from pathlib import Path; from {module} import {name}; {name}(*map(Path, sys.argv[1:]))"
    )
    subprocess.run([sys.executable, "-c", program, *folders], check=True, cwd=HERE)


def _has_cuda_pytorch() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def _measure(entries: list[Entry], scan: Path, arguments: Any, folder: Path) -> None:
    for number in range(arguments.rounds):
        for index, entry in enumerate(entries):
            say(f"round {number + 1} of {arguments.rounds}: {entry.name}")
            job = Job(
                entry.candidate,
                entry.arguments,
                scan,
                repeats=arguments.repeats,
                labels=folder / f"labels{index}.nii.gz" if number == 0 else None,
                cache=folder / f"cache{index}",
                import_from=(HERE,),
            )
            entry.accounts.append(run(job))


def _check_boxes(entries: list[Entry], expected: bool) -> None:
    """Exit unless all candidates searched the same box, because otherwise their times are not comparable."""
    boxes = {entry.name: np.array(entry.accounts[0].box_mm) for entry in entries}
    first = next(iter(boxes.values()))
    for name, box in boxes.items():
        if not np.allclose(box, first, atol=1e-3):
            raise SystemExit(
                f"{name} searched the box {box.tolist()} mm, but the first candidate {first.tolist()} mm."
            )
    sizes = entries[0].accounts[0].input_sizes["segmentation"]
    if expected and sizes != INPUT_ZYX:
        raise SystemExit(
            f"The segmentation network saw {size_text(sizes)} voxels of the phantom, expected "
            f"{size_text(INPUT_ZYX)}: this bundle finds another box in it; give a --scan of your own."
        )


def _fill(report: Report, entries: list[Entry], scan: Path, folder: Path) -> None:
    reference = next((entry for entry in entries if entry.name == REFERENCE), None)
    labels = [sitk.ReadImage(str(folder / f"labels{index}.nii.gz")) for index in range(len(entries))]
    reference_labels = labels[entries.index(reference)] if reference else None
    rows = []
    for entry, image in zip(entries, labels, strict=True):
        agreement = _agreement(image, reference_labels) if reference_labels is not None else {}
        warm, files = entry.warm, entry.files
        rows.append(
            [
                entry.name,
                *_beside(warm.median, reference.warm.median if reference else None),
                f"{warm.p90:.2f}",
                *_beside(entry.cpu.median, reference.cpu.median if reference else None),
                f"{files.median:.2f}",
                *_beside(entry.cold, reference.cold if reference else None),
                f"{entry.first_ever:.1f}",
                *_beside(entry.peak / 2**30, reference.peak / 2**30 if reference else None),
                f"{100 * agreement['share']:.3f}" if agreement else "",
                f"{agreement['least_dice']:.4f}" if agreement else "",
            ]
        )
        report.results[entry.name] = _document(entry) | {"agreement": agreement}
    size = labels[0].GetSize()
    inputs = entries[0].accounts[0].input_sizes
    manifest = bundles.load(entries[0].arguments["bundle"]).manifest
    seen = " and ".join(size_text(inputs[network]) for network in bundles.NETWORKS)
    report.text(
        f"Scan of {size_text(size)} voxels (x, y, z); the networks see {seen} (z, y, x); "
        f'bundle "{manifest.name}"; {len(entries[0].accounts)} processes per candidate, '
        f"{entries[0].warm.count} warm runs. All run with the released pipeline's parameters. Networks "
        "trained with other parameters, such as the demo's, give labels that serve only this comparison."
    )
    report.table(
        (
            "",
            "Warm (s)",
            "×",
            "p90 (s)",
            "CPU (s)",
            "×",
            "With files (s)",
            "Cold (s)",
            "×",
            "First ever (s)",
            "Peak memory (GiB)",
            "×",
            "Equal labels (%)",
            "Least Dice",
        ),
        rows,
    )
    report.table(
        ("Warm, median seconds", *(entry.name for entry in entries)),
        [
            [stage.capitalize(), *(f"{entry.stages[stage].median:.3f}" for entry in entries)]
            for stage in STAGES
        ],
    )


def _beside(value: float, reference: float | None) -> tuple[str, str]:
    return f"{value:.2f}", f"{value / reference:.2f}" if reference else ""


def _agreement(labels: sitk.Image, reference: sitk.Image) -> dict[str, float]:
    """Return the share of equal voxels, and the lowest Dice over the labels in the reference."""
    arrays = [sitk.GetArrayViewFromImage(image) for image in (labels, reference)]
    present = [int(value) for value in np.unique(arrays[1]) if value]
    return {
        "share": float(np.mean(arrays[0] == arrays[1])),
        "least_dice": min(dice(labels, reference, present).values(), default=1.0),
    }


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "note": entry.accounts[0].note,
        "warm": asdict(entry.warm),
        "cpu": asdict(entry.cpu),
        "files": asdict(entry.files),
        "cold": entry.cold,
        "first_ever": entry.first_ever,
        "peak_bytes": entry.peak,
        "peak_first_bytes": max(account.peak_first for account in entry.accounts),
        "stages": {stage: asdict(summary) for stage, summary in entry.stages.items()},
        "accounts": [asdict(account) for account in entry.accounts],
    }


def _draw(results: Mapping[str, Any]) -> Any:
    picture = figure(9, 1.2 + 0.6 * len(results))
    time_axes, memory_axes = picture.subplots(1, 2, sharey=True)
    names = list(results)[::-1]
    left = np.zeros(len(names))
    for stage, colour in zip(STAGES, COLOURS, strict=True):
        widths = np.array([results[name]["stages"][stage]["median"] for name in names])
        time_axes.barh(names, widths, left=left, color=colour, label=stage.capitalize())
        left += widths
    time_axes.set_xlabel("Warm run, median seconds")
    memory_axes.barh(names, [results[name]["peak_bytes"] / 2**30 for name in names], color=COLOURS[0])
    memory_axes.set_xlabel("Peak host memory (GiB)")
    picture.legend(*time_axes.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    for axes in (time_axes, memory_axes):
        axes.spines[["top", "right"]].set_visible(False)
    return picture


if __name__ == "__main__":
    main()
