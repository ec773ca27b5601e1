"""Start a measured process and read its account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .. import errors
from ..triples import Size, Triple
from .device_memory import PeakDeviceMemory


@dataclass(frozen=True)
class Job:
    """What a process measures: one cold run of a scan from its file, then warm ones.

    Args:
        candidate: "module:class" of a `candidate.Candidate`, made with `arguments`.
        scan: a file.
        repeats: at most so many warm runs, then at most two runs from file to file.
        budget: seconds after which no further warm run begins; the first always runs.
        labels: file for the label map of the cold run.
        cache: folder of compiled networks; an empty one makes it the first run ever on a machine. Default:
            the user's cache.
        import_from: folders to look for `candidate` in.
    """

    candidate: str
    arguments: Mapping[str, Any]
    scan: Path
    repeats: int = 0
    budget: float = float("inf")
    labels: Path | None = None
    cache: Path | None = None
    import_from: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Account:
    """What a process measured, in seconds and bytes.

    `load`: from the start of the process until the networks are ready. `cold`: from the start until the first
    label map; `first`: the stages of that run. `warm`: the stages of each run of an image in memory;
    `warm_total`: the whole time of each; `warm_cpu`: its time on all cores together, which a busy machine
    changes less. `files_total`: the time of each run from file to file. `peak_first`, `peak`: the peak
    resident set size until the first label map, and until the end. `device_memory`: size of the arena on a
    GPU. `device_used`: how much more GPU memory than before the driver reported in use, None without a GPU.
    """

    note: str
    load: float
    first: dict[str, float]
    cold: float
    peak_first: int
    peak: int
    box_mm: tuple[Triple, Triple]
    input_sizes: dict[str, Size]
    device_memory: int
    device_used: int | None
    warm: list[dict[str, float]] = field(default_factory=list)
    warm_total: list[float] = field(default_factory=list)
    warm_cpu: list[float] = field(default_factory=list)
    files_total: list[float] = field(default_factory=list)


def run(job: Job) -> Account:
    """Measure `job` in a fresh process.

    Raises the error of this package that the candidate raised, and RuntimeError for any other failure.
    """
    environment = dict(os.environ)
    if job.cache is not None:
        environment["EFFICIENTSCN_CACHE"] = str(job.cache)
    document = asdict(job) | {
        "scan": str(job.scan.absolute()),
        "labels": job.labels and str(job.labels.absolute()),
        "cache": None,
        "import_from": [str(folder.absolute()) for folder in job.import_from],
    }
    with tempfile.TemporaryDirectory() as scratch:
        question, answer = Path(scratch, "job.json"), Path(scratch, "result.json")
        document["started"] = time.time()  # the one clock that two processes share on every system
        question.write_text(json.dumps(document), encoding="utf-8")
        with PeakDeviceMemory() as device:
            done = subprocess.run(
                [sys.executable, "-m", f"{__package__}.worker", str(question), str(answer)],
                cwd=scratch,  # for the label maps, and so that "-m" finds the installed package
                env=environment,
                capture_output=True,
                text=True,
            )
        if done.returncode or not answer.exists():
            raise RuntimeError(
                f"The measured process ended with the code {done.returncode}: {done.stderr.strip()[-2000:]}"
            )
        result = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in result:
        raise getattr(errors, result["error"])(result["message"])
    start, end = result.pop("box_mm")
    sizes = {name: tuple(size) for name, size in result.pop("input_sizes").items()}
    box = tuple(start), tuple(end)
    return Account(**result, box_mm=box, input_sizes=sizes, device_used=device.peak)
