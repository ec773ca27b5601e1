"""Segment a thousand scans in one process, by two threads at once, and watch its memory, files and threads.

The scans have mixed sizes and forms, and some fail: damaged, of another kind, missing, or interrupted by the
caller. Each scan has to end as it did the first time, with the same labels or the same error. The script ends
with 1 if one does not.
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import sys
import tempfile
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import SimpleITK as sitk
from report import COLOURS, Report, figure, gib, parser, say, size_text
from scans import write_resampled, write_series

from efficientscn_trt import EfficientSCNError, Segmenter
from efficientscn_trt.phantom import FIRST_UNSEEN_SEED, make_phantom

SIZES = ((64, 64, 40), (128, 128, 60), (200, 160, 90), (256, 256, 120), (512, 512, 60))
CALLERS = 2
SAVED = 10
"""Every tenth label map is written to a file."""


class Interrupted(Exception):
    """Raised by a caller's own function, in the middle of a run."""


@dataclass(frozen=True)
class Sample:
    """The process after a scan: bytes of its resident set, open files, and threads."""

    seconds: float
    resident: int
    files: int
    threads: int


Case = Callable[[Segmenter], Any]


def main() -> None:
    """Segment, watch, and write."""
    options = parser(__doc__)
    options.add_argument("--scans", type=int, default=1000)
    arguments = options.parse_args()
    report = Report(f"{arguments.scans:,} scans in one process")
    with tempfile.TemporaryDirectory() as scratch:
        say("making scans")
        cases = _cases(Path(scratch))
        say(f"segmenting {arguments.scans:,} scans of {len(cases)} kinds")
        segmenter = Segmenter(arguments.bundle, "cpu", threads=arguments.threads)
        soak = Soak(cases, segmenter, Path(scratch))
        soak.run(arguments.scans)
    _tables(report, soak)
    report.write(arguments, _draw)
    if soak.changed:
        sys.exit(f"These ended otherwise than the first time: {', '.join(sorted(soak.changed))}")


class Soak:
    """What the threads share."""

    def __init__(self, cases: dict[str, Case], segmenter: Segmenter, scratch: Path) -> None:
        self.precision = segmenter.precision
        self.samples: list[Sample] = []
        self.outcomes: Counter[str] = Counter()
        self.changed: set[str] = set()
        self._cases, self._segmenter, self._scratch = cases, segmenter, scratch
        self._first: dict[str, str] = {}
        self._lock = threading.Lock()

    def run(self, count: int) -> None:
        """Segment `count` scans, in an order that a fixed seed decides."""
        names = [name for _ in range(count // len(self._cases) + 1) for name in self._cases][:count]
        random.Random(1).shuffle(names)
        self._began, self._left = perf_counter(), iter(enumerate(names))
        with ThreadPoolExecutor(CALLERS) as callers:
            for caller in [callers.submit(self._segment) for _ in range(CALLERS)]:
                caller.result()
        gc.collect()
        self._segmenter.trim()
        self.trimmed = _sample(perf_counter() - self._began)

    def _segment(self) -> None:
        while True:
            with self._lock:
                number, name = next(self._left, (0, ""))
            if not name:
                return
            outcome, error = self._outcome(number, name)
            with self._lock:
                if self._first.setdefault(name, outcome) != outcome:
                    self.changed.add(name)
                    say(f"{name}: {self._first[name]}, then {outcome}")
                self.outcomes[error] += 1
                self.samples.append(_sample(perf_counter() - self._began))

    def _outcome(self, number: int, name: str) -> tuple[str, str]:
        """The labels' checksum or the sentence, and the kind of the error."""
        try:
            result = self._cases[name](self._segmenter)
        except (EfficientSCNError, Interrupted) as error:
            return f"{type(error).__name__}: {error}", type(error).__name__
        if number % SAVED == 0:
            path = self._scratch / f"labels-{threading.get_ident()}.nii.gz"
            result.save(path)
            path.unlink()
        return f"labels {zlib.crc32(result.array.tobytes()):08x}", "label map"


def _sample(seconds: float) -> Sample:
    status = Path("/proc/self/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return Sample(
        seconds,
        int(fields["VmRSS"].split()[0]) * 1024,
        len(os.listdir("/proc/self/fd")),
        int(fields["Threads"]),
    )


def _cases(folder: Path) -> dict[str, Case]:
    """Scans of every size in every form, and scans that fail."""
    phantom = make_phantom(FIRST_UNSEEN_SEED + 1, (128, 128, 60)).image
    cases: dict[str, Case] = {}
    for size in SIZES:
        name = size_text(size)
        path = write_resampled(phantom, folder / f"{name}.nii.gz", size)
        image = sitk.ReadImage(str(path))
        forms = [path, *(folder / f"{name}{ending}" for ending in (".nii", ".nrrd", ".mha"))]
        for form in forms[1:]:
            sitk.WriteImage(image, str(form), useCompression=form.suffix != ".nii")
        forms += [write_series(image, folder / f"{name}-dicom")]
        forms += [Path(shutil.make_archive(str(folder / f"{name}-dicom"), "zip", forms[-1]))]
        cases |= {form.name: _case(form) for form in forms}
        cases[f"{name} array"] = _case(sitk.GetArrayFromImage(image), spacing=image.GetSpacing())
        cases[f"{name} image"] = _case(image)
        content = path.read_bytes()
        damaged = folder / f"{name}-damaged.nii.gz"
        damaged.write_bytes(content[: len(content) // 2] + b"\0\0\0\0" + content[len(content) // 2 + 4 :])
        scores = sitk.Normalize(sitk.Cast(image, sitk.sitkFloat32))
        sitk.WriteImage(scores, str(folder / f"{name}-scores.nii"))
        cases[f"{name} damaged"] = _case(damaged)
        cases[f"{name} z-scores"] = _case(folder / f"{name}-scores.nii")
        cases[f"{name} interrupted"] = _case(path, progress=_interrupt)
    cases["missing"] = _case(folder / "missing.nii.gz")
    return cases


def _case(volume: Any, **options: Any) -> Case:
    return lambda segmenter: segmenter.segment(volume, **options)


def _interrupt(stage: str, index: int, count: int) -> None:
    if stage == "segmentation":
        raise Interrupted(stage)


def _tables(report: Report, soak: Soak) -> None:
    samples = soak.samples
    tenth = max(len(samples) // 10, 1)
    parts = {
        f"scans {first + 1:,} to {first + tenth:,}": samples[first:][:tenth]
        for first in (tenth, 5 * tenth, 9 * tenth)
    }
    report.table(
        ["median in", "resident, GiB", "open files", "threads"],
        [
            [
                name,
                gib(median(sample.resident for sample in part)),
                f"{median(sample.files for sample in part):g}",
                f"{median(sample.threads for sample in part):g}",
            ]
            for name, part in parts.items()
        ],
    )
    ends = ", ".join(f"{count} {kind}" for kind, count in sorted(soak.outcomes.items()))
    report.text(
        f"{CALLERS} threads with one `Segmenter` in {soak.precision}, {samples[-1].seconds:.0f} s in all. "
        f"Ends: {ends}. "
        f"{len(soak.changed)} of the scans ended otherwise than the first time."
    )
    report.text(f"After `Segmenter.trim` {gib(soak.trimmed.resident)} GiB are resident.")
    report.results["precision"] = soak.precision
    report.results["trimmed"] = asdict(soak.trimmed)
    report.results["outcomes"] = dict(soak.outcomes)
    report.results["changed"] = sorted(soak.changed)
    report.results["samples"] = [list(asdict(sample).values()) for sample in samples]


def _draw(results: dict[str, Any]) -> Any:
    plot = figure(height=6.0)
    rows = np.array(results["samples"])
    panels = {"resident set, MiB": rows[:, 1] / 2**20, "open files": rows[:, 2], "threads": rows[:, 3]}
    for axes, (name, values), colour in zip(
        plot.subplots(3, sharex=True), panels.items(), COLOURS, strict=False
    ):
        axes.plot(np.arange(1, len(values) + 1), values, color=colour, linewidth=0.8)
        axes.set_ylabel(name)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    axes.set_xlabel("scans")
    return plot


if __name__ == "__main__":
    main()
