"""What was written down is read again, however the writer ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from efficientscn_trt import OutputError
from efficientscn_trt.batch.journal import Failure, Journal, Record, records_in
from efficientscn_trt.batch.outputs import Written

_DONE = Record(
    *("a", "in/a.nii", None, "stamp", "settings"),
    ended=1.5,
    content="content",
    outputs=(Written("a/labels.nii.gz", 3, 4, "hash"),),
    result={"volumes_ml": {"liver": 1.25}},
)
_FAILED = Record(
    "\udcff\n", "\udcff", "1.2", "stamp", "settings", ended=2.0, failure=Failure(3, "InputError", "No.")
)


def _write(folder: Path, *records: Record, part: str = "") -> None:
    journal = Journal(folder, part)
    for record in records:
        journal.add(record)
    journal.close()


def test_records_come_back(tmp_path: Path) -> None:
    assert records_in(tmp_path) == {}
    _write(tmp_path, _DONE)
    _write(tmp_path, _FAILED)
    assert records_in(tmp_path) == {"a": _DONE, "\udcff\n": _FAILED}


def test_the_last_record_counts_in_whichever_journal_it_is(tmp_path: Path) -> None:
    newer = replace(_DONE, stamp="new", ended=3.0)
    _write(tmp_path, newer, part="1-of-2")
    _write(tmp_path, _DONE)
    assert records_in(tmp_path) == {"a": newer}


@pytest.mark.parametrize("cut", range(1, 400, 7))
def test_a_line_that_was_cut_is_left_out_and_nothing_else(cut: int, tmp_path: Path) -> None:
    _write(tmp_path, _FAILED, _DONE)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    third = replace(_DONE, id="c")
    _write(tmp_path, third)
    found = records_in(tmp_path)
    assert found.pop("c") == third
    assert found in ({"\udcff\n": _FAILED}, {"\udcff\n": _FAILED, "a": _DONE}, {})


@pytest.mark.parametrize("line", ["{}", "null", "[1]", '{"id": 3}', "\0\0", '{"id": "a", "outputs": 3}'])
def test_lines_that_are_no_records(line: str, tmp_path: Path) -> None:
    _write(tmp_path, _DONE)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write(line + "\n")
    assert records_in(tmp_path) == {"a": _DONE}


def test_two_runs_at_once_are_refused_unless_they_do_different_parts(tmp_path: Path) -> None:
    first = Journal(tmp_path, "1-of-2")
    Journal(tmp_path, "2-of-2").close()
    with pytest.raises(OutputError, match=r"Another run writes to .*; wait until it has ended"):
        Journal(tmp_path, "1-of-2")
    first.close()
    Journal(tmp_path, "1-of-2").close()
