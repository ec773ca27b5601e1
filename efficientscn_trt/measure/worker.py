"""The measured process: `python -m efficientscn_trt.measure.worker JOB RESULT`, started by `processes`.

Until the first label map is made, this module imports only what the candidate would import itself.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import EfficientSCNError


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Run one job (`processes.Job`), and return its account (`processes.Account`)."""
    sys.path[:0] = job["import_from"]
    module, name = job["candidate"].split(":")
    candidate = getattr(import_module(module), name)(**job["arguments"])
    loaded = time.time()
    scan = Path(job["scan"])
    first = candidate.segment(scan)
    first_done = time.time()

    from ..system import peak_resident_bytes

    peak_first = peak_resident_bytes()

    if job["labels"]:
        first.save(Path(job["labels"]))
    account = {
        "note": candidate.note,
        "load": loaded - job["started"],
        "first": first.seconds,
        "cold": first_done - job["started"],
        "peak_first": peak_first,
        "box_mm": first.box_mm,
        "input_sizes": first.input_sizes,
        "device_memory": first.device_memory,
        "warm": [],
        "warm_total": [],
        "warm_cpu": [],
        "files_total": [],
    }
    del first
    deadline = time.perf_counter() + job["budget"]
    _repeat(candidate, job["repeats"], deadline, account, scan)
    return account | {"peak": peak_resident_bytes()}


def _repeat(candidate: Any, repeats: int, deadline: float, account: dict[str, Any], scan: Path) -> None:
    """Warm runs: of an image in memory, and from file to file in the working folder."""
    image = candidate.read(scan) if repeats else None
    for index in range(repeats):
        if index and time.perf_counter() > deadline:
            break
        begin, begin_cpu = time.perf_counter(), time.process_time()
        outcome = candidate.segment(image)
        account["warm_total"].append(time.perf_counter() - begin)
        account["warm_cpu"].append(time.process_time() - begin_cpu)
        account["warm"].append(outcome.seconds)
        del outcome
    del image
    for _ in range(min(repeats, 2)):
        if account["files_total"] and time.perf_counter() > deadline:
            break
        begin = time.perf_counter()
        outcome = candidate.segment(scan)
        outcome.save(Path("labels.nii.gz"))
        account["files_total"].append(time.perf_counter() - begin)
        del outcome


def main() -> None:
    """Read the job, write the result."""
    job, result = (Path(argument) for argument in sys.argv[1:])
    try:
        answer = measure(json.loads(job.read_text(encoding="utf-8")))
    except EfficientSCNError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    result.write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
