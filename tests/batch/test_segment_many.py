"""Many scans give what each gives alone, whatever happens to the others."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from support.dicom import write_series
from support.scans import SPACING_XYZ, block_array, block_image, block_labels

from efficientscn_trt import InputError, MemoryLimitError, Outcome, Request, Segmenter, segment_many
from efficientscn_trt import bundle as bundles
from efficientscn_trt.segmenter import OpenedScan


@pytest.fixture(scope="module")
def segmenter(tiny_bundle: bundles.Bundle) -> Segmenter:
    return Segmenter(tiny_bundle, "cpu", "fp32")


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_every_kind_of_volume(segmenter: Segmenter, scan_file: Path, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "series")
    unoriented = tmp_path / "unoriented.nii"
    header = nib.Nifti1Header()
    header["pixdim"][1:4] = SPACING_XYZ
    nib.save(nib.Nifti1Image(block_array().T, None, header), unoriented)
    volumes: list[Any] = [
        scan_file,
        str(scan_file),
        block_image(),
        Request(block_array(), spacing=SPACING_XYZ),
        tmp_path / "series",
        Request(unoriented, orientation="LPS"),
    ] * 3
    found = {outcome.index: outcome for outcome in segment_many(volumes, segmenter)}
    assert sorted(found) == list(range(len(volumes)))
    for index, outcome in found.items():
        given = volumes[index]
        assert outcome.request is given if isinstance(given, Request) else outcome.request.volume is given
        assert outcome.error is None
        np.testing.assert_array_equal(np.asarray(outcome.result.array), block_labels())
        assert outcome.result.seconds["read"] >= 0


def test_errors_are_values_and_cost_no_other_scan(
    segmenter: Segmenter, scan_file: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(scan_file.read_bytes()[:-100])
    (tmp_path / "empty").mkdir()
    bad: list[Any] = [
        cut,
        tmp_path / "empty",
        tmp_path / "none.nii.gz",
        block_array(),
        Request(block_array() * 0 + 7, spacing=SPACING_XYZ),
        Request(scan_file, series="1.2"),
        None,
        3,
    ]
    outcomes = list(segment_many([each for one in bad for each in (one, scan_file)], segmenter))
    assert sorted(outcome.index for outcome in outcomes) == list(range(2 * len(bad)))
    for outcome in outcomes:
        if outcome.index % 2:
            np.testing.assert_array_equal(np.asarray(outcome.result.array), block_labels())
            continue
        with pytest.raises(InputError):
            outcome.result  # noqa: B018
        with pytest.raises(InputError) as alone:
            request = outcome.request
            segmenter.segment(request.volume, spacing=request.spacing, series=request.series)
        assert type(outcome.error) is type(alone.value)
        assert str(outcome.error) == str(alone.value)


def test_an_error_does_not_keep_the_voxels(segmenter: Segmenter, tmp_path: Path) -> None:
    flat = block_image() * 0 + 7
    sitk.WriteImage(flat, str(tmp_path / "flat.nii.gz"))
    (outcome,) = segment_many([tmp_path / "flat.nii.gz"], segmenter)
    assert outcome.error is not None
    trace = outcome.error.__traceback__
    while trace:
        assert not any(isinstance(value, np.ndarray) for value in trace.tb_frame.f_locals.values())
        trace = trace.tb_next


def test_unexpected_errors_are_values_too(
    segmenter: Segmenter, scan_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = segmenter._label

    def fail_once(opened: OpenedScan) -> Any:
        monkeypatch.setattr(segmenter, "_label", label)
        raise MemoryError

    monkeypatch.setattr(segmenter, "_label", fail_once)
    outcomes = sorted(segment_many([scan_file] * 3, segmenter), key=lambda outcome: outcome.index)
    assert [type(outcome.error) for outcome in outcomes] == [MemoryError, type(None), type(None)]


def test_the_next_scan_is_read_while_the_networks_run(
    segmenter: Segmenter, scan_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, was_read = segmenter._open, threading.Semaphore(0)
    label = segmenter._label

    def open_and_tell(*arguments: Any, **options: Any) -> OpenedScan:
        scan = opened(*arguments, **options)
        was_read.release()
        return scan

    def label_once_two_are_read(scan: OpenedScan) -> Any:
        assert was_read.acquire(timeout=60)
        return label(scan)

    monkeypatch.setattr(segmenter, "_open", open_and_tell)
    monkeypatch.setattr(segmenter, "_label", label_once_two_are_read)
    was_read.acquire(blocking=False)
    outcomes = segment_many([scan_file] * 4, segmenter)
    first = [next(outcomes) for _ in range(3)]
    assert [outcome.error for outcome in first] == [None] * 3
    was_read.release()
    assert [outcome.error for outcome in outcomes] == [None]


def test_volumes_are_asked_for_a_few_at_a_time_in_the_callers_thread(
    segmenter: Segmenter, scan_file: Path
) -> None:
    asked = 0

    def volumes() -> Iterator[Path]:
        nonlocal asked
        for _ in range(100):
            assert threading.current_thread() is caller
            asked += 1
            yield scan_file

    caller = threading.current_thread()
    with closing(segment_many(volumes(), segmenter)) as outcomes:
        for done in range(1, 20):
            next(outcomes)
            assert asked <= done + 18
    assert asked < 40


def test_the_end_of_the_iterator_of_volumes(segmenter: Segmenter, scan_file: Path) -> None:
    def broken() -> Iterator[Path]:
        yield scan_file
        raise KeyError("no more")

    assert list(segment_many([], segmenter)) == []
    with pytest.raises(KeyError, match="no more"):
        list(segment_many(broken(), segmenter))


def test_a_process_ends_although_its_iterator_was_not_closed(scan_file: Path) -> None:
    program = f"""
from efficientscn_trt import Segmenter, segment_many
outcomes = segment_many([{str(scan_file)!r}] * 50, Segmenter(device="cpu"))
print(next(outcomes).index)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_a_scan_that_needs_too_much_memory_alone(segmenter: Segmenter, scan_file: Path) -> None:
    (outcome,) = segment_many([scan_file], segmenter, memory=1 << 20)
    assert isinstance(outcome.error, MemoryLimitError)
    assert "expected at most 0.00 GiB" in str(outcome.error)


def test_memory_for_one_scan_is_enough_for_all(segmenter: Segmenter) -> None:
    large = Request(np.tile(block_array(), (4, 1, 1)), spacing=SPACING_XYZ)
    small = Request(block_array(), spacing=SPACING_XYZ)
    expected = [
        segmenter.segment(each.volume, spacing=SPACING_XYZ).array for each in (small, large, small, small)
    ]
    alone = [segmenter.segment(each.volume, spacing=SPACING_XYZ) for each in (small, large)]
    tight = max(result.estimated_host_memory for result in alone) + 1
    outcomes = list(segment_many([small, large, small, small], segmenter, memory=tight))
    assert [outcome.error for outcome in outcomes] == [None] * 4
    for outcome in outcomes:
        np.testing.assert_array_equal(np.asarray(outcome.result.array), np.asarray(expected[outcome.index]))


def test_the_lower_limit_counts(tiny_bundle: bundles.Bundle, scan_file: Path) -> None:
    (outcome,) = segment_many([scan_file], Segmenter(tiny_bundle, "cpu", max_memory=1 << 20), memory=1 << 40)
    assert isinstance(outcome.error, MemoryLimitError)


@pytest.mark.parametrize("memory", [0, -1, "4G", 1.5])
def test_what_is_no_amount_of_memory(memory: Any, segmenter: Segmenter) -> None:
    with pytest.raises(ValueError, match="expected a positive whole number of bytes"):
        segment_many([], segmenter, memory=memory)


def test_an_outcome_says_which_request_it_answers(segmenter: Segmenter) -> None:
    (outcome,) = segment_many([None], segmenter)
    assert isinstance(outcome, Outcome)
    assert (outcome.index, outcome.request) == (0, Request(None))
