"""The process that `workers` starts: it segments scans, and reports what became of each.

A scan that brings it down costs no more than this process.
"""

from __future__ import annotations

import json
import os
import pickle
import platform
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import bundle as bundles
from ..backends.child_process import end_with_caller, leave_no_core, take_stdout
from ..bundle import ANYONE, TrustedKeys
from ..errors import UNEXPECTED, EfficientSCNError, OutputError
from ..io.wording import displayable
from ..out_of_memory import NOT_ENOUGH
from ..report.document import describe, write_json
from ..result import Segmentation
from ..segmenter import Segmenter
from .entry import Entry
from .flow import Flow
from .journal import Failure
from .many import reader_count
from .outputs import Outputs, Written
from .request import Outcome
from .stamps import content, stamp
from .tables import in_text, shown

_MOST_WRITERS = 4


@dataclass(frozen=True)
class Setup:
    """What a worker is started with: the arguments of `Segmenter`, bytes of memory, cores, and the folder.

    `trusted`: the keys of which one must have signed the bundle; if there are none, those that are configured
    where the worker runs.
    """

    bundle: Path
    device: str
    precision: str
    threads: int
    memory: int
    cores: tuple[int, ...]
    folder: Path
    trusted: TrustedKeys = ANYONE


@dataclass(frozen=True, slots=True)
class Task:
    """A scan to segment. `stamp`: what its input was when the task was made. `known`: the content of an input
    that was segmented before; if it is the same, nothing is to be done.
    """

    number: int
    entry: Entry
    outputs: Outputs
    stamp: str
    known: str = ""


def main() -> None:
    """Read a `Setup` and `Task`s from stdin, and report on stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the caller ends this one
    end_with_caller()
    leave_no_core()
    reports = take_stdout()
    setup: Setup = pickle.load(sys.stdin.buffer)
    if setup.cores and sys.platform == "linux":
        os.sched_setaffinity(0, setup.cores)  # before OpenVINO pins its threads
    try:
        bundle = bundles.load(setup.bundle, setup.trusted or None)
        segmenter = Segmenter(bundle, setup.device, setup.precision, setup.threads)
    except EfficientSCNError as error:
        print(json.dumps({"refused": asdict(failure_of(error))}), file=reports)
        return
    Worker(setup, segmenter, reports).run()


class Worker:
    """Segments the scans of its tasks, several in flight."""

    def __init__(self, setup: Setup, segmenter: Segmenter, reports: Any) -> None:
        self._setup, self._segmenter, self._reports = setup, segmenter, reports
        self._lock = threading.Lock()
        self._tasks: dict[int, Task] = {}
        limit = segmenter._memory.at_most(setup.memory)
        self._flow = Flow(segmenter, limit, reader_count())

    def run(self) -> None:
        """Take tasks until stdin ends."""
        self._report({"ready": {"device": self._segmenter.device, "precision": self._segmenter.precision}})
        writers = [threading.Thread(target=self._finish_all, daemon=True) for _ in range(_writer_count())]
        for writer in writers:
            writer.start()
        with suppress(EOFError):
            while True:
                self._begin(pickle.load(sys.stdin.buffer))
        self._flow.close()

    def _begin(self, task: Task) -> None:
        with suppress(OSError):
            if task.known and content(task.entry) == task.known:
                self._report({"done": task.number, "unchanged": True})
                return
        with self._lock:
            self._tasks[task.number] = task
        self._flow.give(task.number, task.entry.request)

    def _finish_all(self) -> None:
        while True:
            outcome = self._flow.take()
            with self._lock:
                task = self._tasks.pop(outcome.index)
            self._report({"done": task.number, **self._finish(task, outcome)})
            self._flow.release(outcome)
            del outcome

    def _finish(self, task: Task, outcome: Outcome) -> dict[str, Any]:
        try:
            result = outcome.result
            read = ""
            with suppress(OSError):  # it went away
                read = content(task.entry)
            if not read or stamp(task.entry) != task.stamp:
                return _changed()
            if task.outputs.organs:
                result = result.only(*task.outputs.organs)
            seconds = self._write(task, result)
            written = [asdict(Written.of(self._setup.folder, name)) for name in task.outputs.names]
        except Exception as error:
            return _failed(failure_of(error)) if stamp(task.entry) == task.stamp else _changed()
        return {"content": read, "outputs": written, "result": _summary(result, seconds)}

    def _write(self, task: Task, result: Segmentation) -> dict[str, float]:
        folder, outputs = self._setup.folder, task.outputs
        for name in outputs.names:
            try:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{folder / name} cannot be written: {error.strerror}.") from error
        begin = time.perf_counter()
        if outputs.preview is not None:
            from ..report.preview import note_for, write

            note = note_for(self._segmenter.bundle.manifest)
            title = displayable(task.entry.path.name)
            write(folder / outputs.preview, result, title=title, note=note)
        result.save(folder / outputs.labels)
        if outputs.rtstruct is not None:
            result.save_rtstruct(folder / outputs.rtstruct)
        if outputs.sr is not None:
            result.save_sr(folder / outputs.sr, folder / outputs.labels)
        if outputs.page is not None:
            result.report(folder / outputs.page, with_patient=outputs.with_patient)
        for organ, name in outputs.masks:
            result.save_mask(organ, folder / name)
        seconds = {**result.seconds, "writing": time.perf_counter() - begin}
        if outputs.document is not None:
            document = describe(task.entry.path, [folder / outputs.labels], self._segmenter, result, seconds)
            write_json(folder / outputs.document, document)
        return seconds

    def _report(self, message: dict[str, Any]) -> None:
        with self._lock:
            print(json.dumps(message), file=self._reports, flush=True)


def failure_of(error: Exception) -> Failure:
    """How the journal has an error."""
    if isinstance(error, EfficientSCNError):
        return Failure(error.exit_code, type(error).__name__, str(error))
    if isinstance(error, MemoryError):
        return Failure(UNEXPECTED, "MemoryError", NOT_ENOUGH)
    return Failure(UNEXPECTED, type(error).__name__, f"Unexpected error ({type(error).__name__}): {error}")


def _failed(failure: Failure) -> dict[str, Any]:
    return {"failure": asdict(failure)}


def _changed() -> dict[str, Any]:
    sentence = f"The scan changed after the batch began, or the machine {platform.node()} does not see it."
    return _failed(Failure(UNEXPECTED, "changed", sentence))


def _summary(result: Segmentation, seconds: dict[str, float]) -> dict[str, Any]:
    """What the tables show of a result."""
    return {
        "organs": in_text({name: shown(each) for name, each in result.statistics.items()}),
        "device": result.device,
        "precision": result.precision,
        "seconds": in_text(seconds),
        "peak_host_memory": result.peak_host_memory,
        "estimated_host_memory": result.estimated_host_memory,
        "peak_device_memory": result.peak_device_memory,
        "review": " ".join(map(str, result.review.reasons if result.review else ())),
    }


def _writer_count() -> int:
    return min(_MOST_WRITERS, reader_count() + 1)
