"""Kill a batch at random moments, let it go on, and compare what it leaves with an undisturbed one.

Not a test, because it takes minutes: python tests/batch/kill.py --times 30
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.scans import write_different
from support.tiny_bundle import write_tiny_bundle


def main() -> int:
    """Returns 1 if anything was lost, left over or different."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--times", type=int, default=30)
    options.add_argument("--scans", type=int, default=40)
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_tiny_bundle(folder / "bundle")
        (folder / "scans").mkdir()
        write_different(folder / "scans", (f"{number:03d}" for number in range(arguments.scans)))
        _run(folder, "undisturbed")  # compiles the networks
        shutil.rmtree(folder / "undisturbed")
        begin = time.monotonic()
        _run(folder, "undisturbed")
        whole = time.monotonic() - begin
        faults = 0
        for number in range(1, arguments.times + 1):
            moment = chance.uniform(0.0, whole)
            done = _killed(folder, moment)
            _run(folder, "out")
            fault = _fault(folder)
            faults += bool(fault)
            print(f"{number}: killed after {moment:.2f} s with {done} done: {fault or 'equal'}", flush=True)
            shutil.rmtree(folder / "out")
    print(f"{arguments.times} times killed within {whole:.2f} s: {faults} faults")
    return 1 if faults else 0


def _start(folder: Path, out: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "efficientscn_trt", "batch", "scans", "-o", out, "--bundle", "bundle"]
    return subprocess.Popen(
        [*command, "--device", "cpu", "--quiet", "--preview", "--workers", "2"], cwd=folder
    )


def _run(folder: Path, out: str) -> None:
    if code := _start(folder, out).wait():
        raise RuntimeError(f"exit code {code}")


def _killed(folder: Path, moment: float) -> int:
    """How many scans had been done."""
    process = _start(folder, "out")
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    journal = folder / "out" / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def _fault(folder: Path) -> str:
    out, undisturbed = (_outputs(folder / name) for name in ("out", "undisturbed"))
    if out.keys() != undisturbed.keys():
        return f"other files: {sorted(map(str, out.keys() ^ undisturbed.keys()))}"
    if different := [str(name) for name, content in out.items() if content != undisturbed[name]]:
        return f"other bytes: {different}"
    scans = sorted(path.name.partition(".")[0] for path in (folder / "scans").iterdir())
    with (folder / "out" / "results.csv").open(newline="") as file:
        if [(row["id"], row["status"]) for row in csv.DictReader(file)] != [(name, "done") for name in scans]:
            return "another table"
    return ""


def _outputs(folder: Path) -> dict[Path, bytes]:
    """All files of `folder` but the journal and the tables, which have times."""
    files = (path for path in folder.rglob("*") if path.is_file())
    times = ("journal.jsonl", "results.csv")
    return {path.relative_to(folder): b"" if path.name in times else path.read_bytes() for path in files}


if __name__ == "__main__":
    sys.exit(main())
