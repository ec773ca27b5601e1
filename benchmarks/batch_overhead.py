"""What a batch costs beside the scans themselves, with very many of them: time, and the caller's memory.

First, empty files as scans: each is listed, given to a worker, refused and written down. Then a journal that
has all of them done, with a label map each: what is to be done again, and the tables. The label maps and the
records are copies of a real one. Each step is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from report import COLOURS, Report, figure, parser, say
from scans import write_phantom

from efficientscn_trt.batch.batch import Batch
from efficientscn_trt.batch.journal import records_in
from efficientscn_trt.batch.machine import Machine
from efficientscn_trt.batch.outputs import Naming, Written
from efficientscn_trt.batch.stamps import stamp
from efficientscn_trt.system import peak_resident_bytes

STEPS = {
    "empty files": "a first run, all refused",
    "again": "a run after that",
    "all done": "a run with all done",
}


def main() -> None:
    """Measure and write."""
    arguments = _parse()
    if arguments.run:
        print(json.dumps(_run(**json.loads(sys.stdin.read()))))
        return
    report = Report("A batch beside its scans")
    with tempfile.TemporaryDirectory() as scratch:
        scans, out = Path(scratch, "scans"), Path(scratch, "out")
        task = {"bundle": str(arguments.bundle), "scans": str(scans), "out": str(out)}
        say(f"making {arguments.count:,} empty files")
        for number in range(arguments.count):
            file = scans / f"{number // 1000:04d}" / f"{number:07d}.nii.gz"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        out.mkdir()
        for step in STEPS:
            if step == "all done":
                say("making the journal of a batch that is done")
                _child(
                    "done", {**task, "tiny": str(write_phantom(Path(scratch, "tiny.nii.gz"), (40, 40, 30)))}
                )
            say(STEPS[step])
            report.results[step] = _child("batch", task)
    _table(report, arguments.count)
    report.write(arguments, _draw)


def _parse() -> Any:
    options = parser(__doc__)
    options.add_argument("--count", type=int, default=100_000, help="scans")
    options.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    return options.parse_args()


def _table(report: Report, count: int) -> None:
    report.table(
        [f"{count:,} scans", "list and compare, s", "work and tables, s", "ms a scan", "caller's peak, MB"],
        [
            [
                STEPS[step],
                f"{found['listed']:.1f}",
                f"{found['worked']:.1f}",
                f"{(found['listed'] + found['worked']) / count * 1000:.2f}",
                f"{found['peak'] / 1e6:.0f}",
            ]
            for step, found in report.results.items()
        ],
    )


def _child(step: str, task: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--run"],
        input=json.dumps({"step": step, **task}),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _run(step: str, bundle: str, scans: str, out: str, tiny: str = "") -> dict[str, float]:
    if step == "done":
        _make_journal(_machine(bundle), Path(scans), Path(out), Path(tiny))
        return {}
    begin = time.perf_counter()
    batch = Batch([Path(scans)], Path(out), _machine(bundle), Naming())
    listed = time.perf_counter()
    batch.run(lambda record: None)
    return {
        "listed": listed - begin,
        "worked": time.perf_counter() - listed,
        "tasks": len(batch.tasks),
        "peak": peak_resident_bytes(),
    }


def _machine(bundle: str) -> Machine:
    return Machine(Path(bundle), ("cpu",), "auto", 0, None, seconds=600.0, retries=0)


def _make_journal(machine: Machine, scans: Path, out: Path, tiny: Path) -> None:
    """Write a journal into `out`, from which all of `scans` are done as `tiny` is."""
    sample = out.parent / "sample"
    sample.mkdir()
    Batch([tiny], sample, machine, Naming()).run(lambda record: None)
    (record,) = records_in(sample).values()
    label_map = sample / record.outputs[0].name
    entries = Batch([scans], out, machine, Naming()).entries
    with (out / "journal.jsonl").open("wb") as journal:
        for entry in entries:
            name = Naming().outputs(entry.id).labels
            (out / name).parent.mkdir(parents=True)
            shutil.copyfile(label_map, out / name)
            written = Written.of(out, name)
            journal.write(
                replace(
                    record, id=entry.id, path=str(entry.path), stamp=stamp(entry), outputs=(written,)
                ).to_line()
            )


def _draw(results: dict[str, Any]) -> Any:
    plot = figure(height=3.0)
    axes = plot.subplots()
    names, left = [STEPS[step] for step in results], [0.0] * len(results)
    for part, label, colour in (("listed", "list and compare", 0), ("worked", "work and tables", 1)):
        values = [found[part] for found in results.values()]
        axes.barh(names, values, left=left, label=label, color=COLOURS[colour])
        left = values
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    axes.legend()
    return plot


if __name__ == "__main__":
    main()
