"""A batch does every scan once, whatever happens to one of them or to itself."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from support.dicom import complete, write_series
from support.html_page import HtmlPage
from support.scans import block_image, block_labels, write_different
from support.tiny_bundle import LABEL_HU

from efficientscn_trt import BatchError, DeviceError, OutputError
from efficientscn_trt import bundle as bundles
from efficientscn_trt.batch import workers
from efficientscn_trt.batch.batch import Batch
from efficientscn_trt.batch.journal import Record
from efficientscn_trt.batch.machine import Machine
from efficientscn_trt.batch.outputs import Naming

Make = Callable[..., Batch]

_KIDNEYS = ("kidneys", "right_kidney", "left_kidney")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def batch(tiny_bundle: bundles.Bundle, scans: Path, out: Path) -> Make:
    """Make a batch of `scans`; arguments replace those of `Machine`, `Naming` and `Batch`."""

    def make(naming: Naming | None = None, part: tuple[int, int] | None = None, **changes: object) -> Batch:
        retry, kind = bool(changes.pop("retry_refused", False)), str(changes.pop("table_kind", "csv"))
        arguments: dict[str, object] = {
            "bundle": tiny_bundle.path,
            "devices": ("cpu",),
            "precision": "fp32",
            "threads": 0,
            "memory": 4 << 30,
            "seconds": 300.0,
            "retries": 0,
        }
        machine = Machine(**(arguments | changes))  # type: ignore[arg-type]
        return Batch([scans], out, machine, naming or Naming(), part, retry, table_kind=kind)

    return make


def _write(scans: Path, *names: str) -> None:
    for name in names:
        sitk.WriteImage(block_image(), str(scans / name))


def _run(batch: Batch) -> list[Record]:
    done: list[Record] = []
    batch.run(done.append)
    return done


def _check(out: Path, *names: str) -> None:
    """Each output has the labels that were drawn, on the grid of the scan."""
    for name in names:
        image = sitk.ReadImage(str(out / name / "labels.nii.gz"))
        np.testing.assert_array_equal(sitk.GetArrayViewFromImage(image), block_labels())
        assert image.GetOrigin() == pytest.approx(block_image().GetOrigin(), abs=1e-4)


def _table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_all_good_ones_are_done_and_each_bad_one_is_a_row(batch: Make, scans: Path, out: Path) -> None:
    _write(scans, "a.nii.gz", "b.nrrd")
    write_series(block_image(), scans / "c")
    (scans / "cut.nii.gz").write_bytes((scans / "a.nii.gz").read_bytes()[:-50])
    (scans / "nothing.nii").touch()
    (scans / "empty").mkdir()
    sitk.WriteImage(block_image() * 0 + 7, str(scans / "flat.nii"))
    shutil.copy(scans / "a.nii.gz", scans / "z.nii.gz")
    made = batch(Naming(document=True, preview=True))
    done = _run(made)
    assert sorted(record.id for record in done) == sorted(entry.id for entry in made.entries)
    _check(out, "a", "b", "c", "z")
    results, failures = _table(out / "results.csv"), _table(out / "failures.csv")
    assert {name for name, row in results.items() if row["status"] == "done"} == {"a", "b", "c", "z"}
    assert set(failures) == {"cut", "nothing", "empty", "flat"}
    assert failures["cut"]["error"] == "InputError"
    assert failures["cut"]["code"] == "3"
    assert "cut.nii.gz is damaged or cut short" in failures["cut"]["sentence"]
    voxel_ml = 4.0 * 3.5 * 5.0 / 1000
    assert float(results["a"]["liver_ml"]) == pytest.approx((block_labels() == 1).sum() * voxel_ml, abs=0.01)
    assert float(results["b"]["spleen_mean_hu"]) == pytest.approx(LABEL_HU[3], abs=2)
    kidneys, right, left = (float(results["a"][f"{name}_ml"]) for name in _KIDNEYS)
    assert kidneys == pytest.approx(right + left, abs=0.02)
    assert (results["a"]["left_kidney_pieces"], results["a"]["liver_borders"]) == ("1", "")
    assert 0.2 < float(results["a"]["liver_confidence"]) <= 1
    assert results["a"]["left_kidney_confidence"] == ""
    assert results["a"]["review"] == "yes"
    document = json.loads((out / "a" / "report.json").read_text())
    assert "The volume of the liver is 251 ml, expected 735 to 2275 ml" in results["a"]["reasons"]
    assert results["a"]["reasons"] == " ".join(each["message"] for each in document["review"]["reasons"])
    assert (out / "c" / "preview.png").read_bytes().startswith(b"\x89PNG")
    assert '"volumes_ml"' in (out / "c" / "report.json").read_text()
    with pytest.raises(BatchError, match=r"4 scans of 8 failed; see .*failures\.csv"):
        made.check()


def test_some_organs_and_a_mask_of_each(batch: Make, scans: Path, out: Path) -> None:
    _write(scans, "a.nii.gz", "b.nii.gz")
    _run(batch())
    naming = Naming(document=True, organs=("spleen", "liver"), masks=("liver", "spleen"))
    made = batch(naming)
    assert len(made.tasks) == 2  # the label maps have other labels now
    _run(made)
    assert sorted(path.name for path in (out / "b").iterdir()) == [
        "labels.nii.gz",
        "liver.nii.gz",
        "report.json",
        "spleen.nii.gz",
    ]
    labels, spleen = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(out / "b" / f"{name}.nii.gz")))
        for name in ("labels", "spleen")
    )
    assert set(np.unique(labels)) == {0, 1, 3}
    np.testing.assert_array_equal(spleen, labels == 3)
    assert "liver_ml" in _table(out / "results.csv")["a"]
    assert "pancreas_ml" not in _table(out / "results.csv")["a"]
    assert not batch(naming).tasks
    (out / "a" / "liver.nii.gz").unlink()
    assert [task.entry.id for task in batch(naming).tasks] == ["a"]


def test_dicom_outputs(batch: Make, scans: Path, out: Path) -> None:
    write_series(block_image(), scans / "a", change=lambda _, dataset: complete(dataset))
    _write(scans, "b.nii.gz")
    _run(batch(Naming(extension=".dcm", rtstruct=True, sr=True)))
    kinds = {path.name: pydicom.dcmread(path).Modality for path in (out / "a").iterdir()}
    assert kinds == {"labels.dcm": "SEG", "rtstruct.dcm": "RTSTRUCT", "sr.dcm": "SR"}
    failure = _table(out / "failures.csv")["b"]
    assert failure["error"] == "OutputError"
    assert (
        "labels.dcm would be DICOM SEG, which refers to the slices of a DICOM series" in failure["sentence"]
    )
    assert not list((out / "b").iterdir())


def test_a_page_about_each_scan(batch: Make, scans: Path, out: Path) -> None:
    write_series(block_image(), scans / "a", change=lambda _, dataset: complete(dataset))
    _write(scans, "b.nii.gz")
    _run(batch(Naming(page=True)))
    for name in ("a", "b"):
        page = HtmlPage(out / name / "report.html")
        assert page.organs["Liver"]["Volume"].endswith(" ml")
        assert not {"Name", "File or folder"} & set(page.facts)
    assert batch(Naming(page=True)).tasks == []
    made = batch(Naming(page=True, with_patient=True))
    assert len(made.tasks) == 2  # the pages say more now
    _run(made)
    assert HtmlPage(out / "a" / "report.html").facts["Name"] == "Nobody, Jane"
    assert HtmlPage(out / "b" / "report.html").facts["File or folder"] == str(scans / "b.nii.gz")


def test_parquet_tables_say_the_same(batch: Make, scans: Path, out: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    _write(scans, "a.nii.gz", "b.nii.gz")
    (scans / "bad.nii.gz").touch()
    _run(batch())
    made = batch(table_kind="parquet")
    _run(made)
    assert [path.name for path in made.tables] == ["results.parquet", "failures.parquet"]
    for name in ("results", "failures"):
        rows = parquet.read_table(out / f"{name}.parquet").to_pylist()
        texts = _table(out / f"{name}.csv")
        assert [row["id"] for row in rows] == list(texts)
        for row in rows:
            text = texts[row["id"]]
            assert list(row) == list(text)
            for column, value in row.items():
                if isinstance(value, float):
                    assert float(text[column]) == pytest.approx(value, abs=0.01)
                else:
                    shown = {"None": "", "True": "yes", "False": "no"}.get(str(value), str(value))
                    assert text[column] == shown
    types = {field.name: str(field.type) for field in parquet.read_schema(out / "results.parquet")}
    assert types["liver_ml"] == types["read_s"] == "double"
    assert types["liver_mean_hu"] == "double"
    assert types["liver_pieces"] == "int64"
    assert types["liver_confidence"] == types["liver_uncertain_boundary"] == "double"
    assert types["liver_borders"] == "string"
    assert types["review"] == "bool"
    assert types["peak_host_memory_bytes"] == "int64"


def test_only_what_changed_is_done_again(batch: Make, scans: Path, out: Path) -> None:
    _write(scans, "a.nii.gz", "b.nii.gz", "c.nii.gz", "d.nii.gz", "e.nii.gz")
    (scans / "bad.nii.gz").touch()
    _run(batch())
    assert batch().tasks == []
    assert len(batch(retry_refused=True).tasks) == 1
    (out / "a" / "labels.nii.gz").write_bytes(b"")  # another file
    os.utime(out / "b" / "labels.nii.gz", ns=(0, 0))  # the same, touched
    (out / "c" / "labels.nii.gz").unlink()
    os.utime(scans / "d.nii.gz", ns=(0, 0))  # the same scan, touched
    sitk.WriteImage(block_image() + 1, str(scans / "e.nii.gz"))
    before = (out / "d" / "labels.nii.gz").stat().st_mtime_ns
    tasks = {task.entry.id: bool(task.known) for task in batch().tasks}
    assert tasks == {"a": False, "c": False, "d": True, "e": True}
    _run(batch())
    _check(out, "a", "b", "c", "d")
    assert (out / "d" / "labels.nii.gz").stat().st_mtime_ns == before
    assert batch().tasks == []
    assert len(batch(precision="auto").tasks) == 6
    assert len(batch(Naming(preview=True)).tasks) == 5


def test_parts_share_the_scans(batch: Make, scans: Path, out: Path) -> None:
    names = [f"{number}" for number in range(7)]
    _write(scans, *(f"{name}.nii" for name in names))
    found = [record.id for number in (1, 2, 3) for record in _run(batch(part=(number, 3)))]
    assert sorted(found) == names
    assert batch().tasks == []  # the parts together are the whole
    _run(batch())
    assert sorted(_table(out / "results.csv")) == names
    assert sorted(name for i in (1, 2, 3) for name in _table(out / f"results.{i}-of-3.csv")) == names


# In the worker: what each scan whose name begins so does while it is read.
_EVIL = """
import os, signal, time
from efficientscn_trt.segmenter import Segmenter
opened = Segmenter._open
def _open(self, volume, *arguments, **options):
    name = os.path.basename(str(volume))
    if name.startswith('killer'):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith('sleeper'):
        time.sleep(1000)
    if name.startswith('once') and not os.path.exists(volume + '.tried'):
        open(volume + '.tried', 'w').close()
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith('full'):
        raise MemoryError
    return opened(self, volume, *arguments, **options)
Segmenter._open = _open
"""


@pytest.fixture
def evil(monkeypatch: pytest.MonkeyPatch) -> None:
    program = _EVIL.replace("(volume + '.tried'", "(str(volume) + '.tried'")
    monkeypatch.setattr(workers, "_PROGRAM", f"exec({program!r}); {workers._PROGRAM}")


@pytest.mark.usefixtures("evil")
def test_a_scan_that_kills_its_worker_costs_no_other(batch: Make, scans: Path, out: Path) -> None:
    good = ["a", "b", "c", "x", "y"]
    _write(scans, *(f"{name}.nii" for name in [*good, "killer1", "killer2", "full", "once"]))
    _run(batch(retries=1))
    _check(out, *good, "once")
    failures = _table(out / "failures.csv")
    assert set(failures) == {"killer1", "killer2", "full"}
    assert failures["killer1"]["sentence"] == "The process that segmented the scan died (SIGSEGV)."
    assert failures["full"]["error"] == "MemoryError"
    assert sorted(task.entry.id for task in batch().tasks) == ["full", "killer1", "killer2"]


@pytest.mark.usefixtures("evil")
def test_a_scan_that_takes_too_long_costs_no_other(batch: Make, scans: Path, out: Path) -> None:
    _write(scans, "a.nii", "sleeper.nii", "z.nii")
    _run(batch(seconds=10.0))
    _check(out, "a", "z")
    (row,) = _table(out / "failures.csv").values()
    assert row["sentence"] == "The scan was not done within 10 s, and was stopped."


@pytest.mark.usefixtures("evil")
def test_a_batch_stops_where_all_fail(batch: Make, scans: Path, out: Path) -> None:
    _write(scans, *(f"full{number}.nii" for number in range(9)))
    made = batch()
    with pytest.raises(BatchError, match=r"5 scans in a row failed, the last with: Not enough memory"):
        _run(made)
    assert len(_table(out / "failures.csv")) == 5
    assert len(batch().tasks) == 9


def test_outputs_that_cannot_be_written(batch: Make, scans: Path, out: Path) -> None:
    _write(scans, "a.nii", "b.nii")
    (out / "a").touch()
    _run(batch())
    _check(out, "b")
    (row,) = _table(out / "failures.csv").values()
    assert row["error"] == "OutputError"
    assert "a/labels.nii.gz cannot be written" in row["sentence"]


def test_a_device_that_is_not_there(batch: Make, scans: Path) -> None:
    _write(scans, "a.nii")
    with pytest.raises(DeviceError, match="precision fp16"):
        _run(batch(precision="fp16"))


def test_several_workers_share_the_work(batch: Make, scans: Path, out: Path) -> None:
    names = [f"{number}" for number in range(8)]
    _write(scans, *(f"{name}.nii" for name in names))
    _run(batch(devices=("cpu", "cpu")))
    _check(out, *names)


def test_a_scan_that_needs_too_much_memory(batch: Make, scans: Path, out: Path) -> None:
    _write(scans, "a.nii")
    _run(batch(memory=1 << 20))
    (row,) = _table(out / "failures.csv").values()
    assert row["error"] == "MemoryLimitError"


def test_only_one_run_at_a_time(batch: Make, scans: Path, out: Path) -> None:
    from efficientscn_trt.batch.journal import Journal

    _write(scans, "a.nii")
    journal = Journal(out)
    with pytest.raises(OutputError, match="Another run writes to"):
        _run(batch())
    journal.close()


def _start(tiny_bundle: bundles.Bundle, scans: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "efficientscn_trt", "batch", str(scans), "-o", str(out), "--quiet"]
    command += ["--bundle", str(tiny_bundle.path), "--precision", "fp32"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_batch_that_was_stopped_goes_on(
    ending: signal.Signals, tiny_bundle: bundles.Bundle, scans: Path, out: Path, tmp_path: Path
) -> None:
    names = [f"{number:02d}" for number in range(12)]
    write_different(scans, names)
    (tmp_path / "undisturbed").mkdir()
    assert _start(tiny_bundle, scans, tmp_path / "undisturbed").wait() == 0
    process = _start(tiny_bundle, scans, out)
    while process.poll() is None and len(list(out.glob("*/labels.nii.gz"))) < 4:
        time.sleep(0.01)
    process.send_signal(ending)
    process.wait()
    assert len(list(out.glob("*/labels.nii.gz"))) >= 4
    if ending != signal.SIGKILL:
        assert not list(out.rglob("*.escn-partial"))
    last = _start(tiny_bundle, scans, out)
    _, said = last.communicate()
    assert (last.returncode, said) == (0, "")
    for name in names:
        ours, undisturbed = (
            (folder / name / "labels.nii.gz").read_bytes() for folder in (out, tmp_path / "undisturbed")
        )
        assert ours == undisturbed
    assert not list(out.rglob("*.escn-partial"))
    assert sorted(_table(out / "results.csv")) == names
