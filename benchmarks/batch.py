"""Segment many scans: in a shell loop, in a loop with one Segmenter, by segment_many, by the command batch.

Each run is a process of its own. Runs of the ways take turns. The times of the loop with one Segmenter and of
segment_many begin when the networks are loaded and have run once; the others are of whole commands.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import SimpleITK as sitk
from report import COLOURS, Report, figure, gib, parser, say, size_text
from scans import write_phantom, write_released_bundle, write_resampled, write_series

from efficientscn_trt import Segmentation, Segmenter, segment_many
from efficientscn_trt.demo.public_ct import obtain
from efficientscn_trt.system import peak_resident_bytes, resident_bytes

HUGE = (512, 512, 1300)
SMALL = (128, 128, 60)
SHELL, LOOP, MANY = "the command segment, in a shell loop", "a loop with one Segmenter", "segment_many"
BATCH, BATCH_2 = "the command batch", "the command batch, 2 workers"


def main() -> None:
    """Measure and write."""
    arguments = _parse()
    if arguments.run:
        _RUNS[arguments.run](json.loads(sys.stdin.read()))
        return
    report = Report("Many scans")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        say("making scans")
        bundle = write_released_bundle(arguments.bundle, folder / "bundle")
        scans = _scans(folder)
        task = {"threads": arguments.threads, "precision": arguments.precision, "folder": str(folder)}
        for name, which in (("the paper's sizes", bundle), ("the demo's sizes", arguments.bundle)):
            paths = [str(scan) for scan in scans] * arguments.copies
            _ratios(report, name, {**task, "bundle": str(which), "scans": paths}, arguments)
        if arguments.huge:
            _huge(report, {**task, "bundle": str(bundle)}, folder, arguments)
        if arguments.small:
            _small(report, {**task, "bundle": str(bundle)}, folder, arguments)
    report.write(arguments, _draw)


def _parse() -> Any:
    options = parser(__doc__)
    options.add_argument("--precision", default="auto")
    options.add_argument("--copies", type=int, default=2, help="how often each scan is segmented in a run")
    options.add_argument(
        "--rounds", type=int, default=5, help="runs of each way; the shell loop has half as many"
    )
    options.add_argument("--memory", type=int, default=3 << 30, help="bytes, for the mix with a huge scan")
    options.add_argument("--huge", type=int, default=2, help="huge scans among small ones; 0 leaves it out")
    options.add_argument("--small", type=int, default=300, help="small scans in a row; 0 leaves it out")
    options.add_argument("--run", help=argparse.SUPPRESS)
    return options.parse_args()


def _scans(folder: Path) -> list[Path]:
    """A real CT as NIfTI, as a DICOM series and as NRRD."""
    ct = obtain().ct
    image = sitk.Cast(sitk.ReadImage(str(ct)), sitk.sitkInt16)
    nifti, nrrd = folder / "ct.nii.gz", folder / "ct.nrrd"
    for path in (nifti, nrrd):
        sitk.WriteImage(image, str(path), useCompression=True)
    return [nifti, write_series(image, folder / "series"), nrrd]


def _ratios(report: Report, name: str, task: dict[str, Any], arguments: Any) -> None:
    count = len(task["scans"])
    seconds: dict[str, list[float]] = {SHELL: [], LOOP: [], MANY: [], BATCH: [], BATCH_2: []}
    busy: dict[str, list[tuple[float, float]]] = {LOOP: [], MANY: []}
    peaks: dict[str, list[int]] = {LOOP: [], MANY: []}
    for number in range(arguments.rounds):
        say(f"{name}: round {number + 1} of {arguments.rounds}")
        if number % 2 == 0:
            seconds[SHELL].append(_shell(task))
        seconds[BATCH].append(_batch(task, 1))
        seconds[BATCH_2].append(_batch(task, 2))
        for way in (LOOP, MANY) if number % 2 else (MANY, LOOP):
            found = _child(way, task)
            seconds[way].append(found["seconds"])
            busy[way].append((found["networks"] / found["seconds"], found["stages"] / found["seconds"]))
            peaks[way].append(found["peak"])
    ratios = [loop / many for loop, many in zip(seconds[LOOP], seconds[MANY], strict=True)]
    report.table(
        [name, "seconds a scan", "scans an hour", "networks run", "all stages run", "peak, GiB"],
        [
            [
                way,
                f"{median(times) / count:.2f}",
                f"{3600 * count / median(times):,.0f}",
                *(f"{median(each[i] for each in busy[way]):.0%}" if way in busy else "" for i in (0, 1)),
                gib(max(peaks[way])) if way in peaks else "",
            ]
            for way, times in seconds.items()
        ],
    )
    shell = median(seconds[SHELL])
    report.text(
        f"{count} scans a run, {arguments.rounds} runs. segment_many is {median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}) times as fast as the loop. The shell loop takes "
        f"{shell / median(seconds[MANY]):.2f} times as long as segment_many, "
        f"{shell / median(seconds[BATCH]):.2f} times as long as batch, and "
        f"{shell / median(seconds[BATCH_2]):.2f} times as long as batch with 2 workers."
    )
    report.results[name] = {"count": count, "seconds": seconds, "busy": busy, "peaks": peaks}


def _huge(report: Report, task: dict[str, Any], folder: Path, arguments: Any) -> None:
    say(f"a mix with {size_text(HUGE)}")
    huge = str(write_phantom(folder / "huge.nii.gz", HUGE))
    small = str(write_phantom(folder / "small.nii.gz", SMALL))
    scans = ([small] * 6 + [huge]) * arguments.huge + [small] * 6
    found = _child(MANY, {**task, "scans": scans, "memory": arguments.memory, "watch": True})
    report.text(
        f"{arguments.huge} scans of {size_text(HUGE)} among {6 * (arguments.huge + 1)} of "
        f"{size_text(SMALL)}, with a limit of {gib(arguments.memory)} GiB: {found['done']} label maps, peak "
        f"{gib(found['peak'])} GiB."
    )
    report.results["huge"] = found


def _small(report: Report, task: dict[str, Any], folder: Path, arguments: Any) -> None:
    say(f"{arguments.small} small scans")
    phantom = sitk.ReadImage(str(folder / "ct.nii.gz"))
    scan = str(write_resampled(phantom, folder / "few.nii.gz", SMALL))
    found = _child(MANY, {**task, "scans": [scan] * arguments.small})
    resident = found["resident"]
    early, late = resident[min(19, len(resident) - 1)], resident[-1]
    report.text(
        f"{arguments.small} scans of {size_text(SMALL)} in one process, {found['seconds']:.0f} s: resident "
        f"{gib(early)} GiB after 20 scans and {gib(late)} GiB after the last ({late / early - 1:+.1%})."
    )
    report.results["small"] = found


def _shell(task: dict[str, Any]) -> float:
    begin = time.perf_counter()
    for scan in task["scans"]:
        command = [sys.executable, "-m", "efficientscn_trt", "segment", scan, "--quiet", "--device", "cpu"]
        command += ["--bundle", task["bundle"], "--threads", str(task["threads"])]
        command += ["--precision", task["precision"], "--output", str(Path(task["folder"], "out.nii.gz"))]
        # In that folder, so that the installed package runs, not the sources.
        subprocess.run(command, check=True, cwd=task["folder"])
    return time.perf_counter() - begin


def _batch(task: dict[str, Any], workers: int) -> float:
    """The seconds of the whole command, from its start to its tables."""
    folder = Path(task["folder"])
    with (folder / "scans.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "path"), *enumerate(task["scans"])])
    begin = time.perf_counter()
    command = [sys.executable, "-m", "efficientscn_trt", "batch", str(folder / "scans.csv"), "--quiet"]
    command += ["--output", str(folder / "out"), "--bundle", task["bundle"], "--device", "cpu"]
    command += ["--threads", str(task["threads"]), "--precision", task["precision"]]
    subprocess.run([*command, "--workers", str(workers)], check=True, cwd=folder)
    seconds = time.perf_counter() - begin
    shutil.rmtree(folder / "out")
    return seconds


def _child(way: str, task: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, __file__, "--run", way]
    done = subprocess.run(
        command, input=json.dumps(task), stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _loop(segmenter: Segmenter, task: dict[str, Any]) -> Iterator[Segmentation]:
    for scan in task["scans"]:
        yield segmenter.segment(scan)


def _many(segmenter: Segmenter, task: dict[str, Any]) -> Iterator[Segmentation]:
    for outcome in segment_many(task["scans"], segmenter, memory=task.get("memory")):
        yield outcome.result


def _run(
    results: Callable[[Segmenter, dict[str, Any]], Iterator[Segmentation]], task: dict[str, Any]
) -> None:
    segmenter = Segmenter(task["bundle"], "cpu", task["precision"], task["threads"])
    output = Path(task["folder"], "labels.nii.gz")
    segmenter.segment(task["scans"][0]).save(output)
    watched: list[tuple[float, int]] = []
    begin = time.perf_counter()
    if task.get("watch"):
        threading.Thread(target=_watch, args=(begin, watched), daemon=True).start()
    seconds: list[dict[str, float]] = []
    resident: list[int] = []
    for result in results(segmenter, task):
        result.save(output)
        seconds.append(result.seconds)
        resident.append(resident_bytes())
    total = time.perf_counter() - begin
    document = {
        "seconds": total,
        "done": len(seconds),
        "networks": sum(each["localization"] + each["segmentation"] for each in seconds),
        "stages": sum(sum(each.values()) - each["read"] for each in seconds),
        "peak": peak_resident_bytes(),
        "resident": resident,
        "watched": watched,
    }
    print(json.dumps(document))


def _watch(begin: float, watched: list[tuple[float, int]]) -> None:
    while True:
        watched.append((time.perf_counter() - begin, resident_bytes()))
        time.sleep(0.05)


_RUNS: dict[str, Callable[[dict[str, Any]], None]] = {
    LOOP: lambda task: _run(_loop, task),
    MANY: lambda task: _run(_many, task),
}


def _draw(results: dict[str, Any]) -> Any:
    plot = figure(height=6.0)
    huge, small = plot.subplots(2)
    if "huge" in results:
        times, resident = zip(*results["huge"]["watched"], strict=True)
        huge.plot(times, [each / 2**30 for each in resident], color=COLOURS[0])
        huge.set_xlabel(f"seconds, a mix with {size_text(HUGE)}")
    if "small" in results:
        small.plot([each / 2**30 for each in results["small"]["resident"]], color=COLOURS[1])
        small.set_xlabel(f"scans of {size_text(SMALL)}")
    for axes in (huge, small):
        axes.set_ylabel("resident set, GiB")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    return plot


if __name__ == "__main__":
    main()
