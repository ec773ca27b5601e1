"""A DICOM series as a list of its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.dicom import write_series
from support.scans import block_array, block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.volume import open_scan


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two series in one folder, and a file that is damaged."""
    write_series(block_image(), tmp_path / "study")
    write_series(block_image()[:, :, :9], tmp_path / "study", series=2)
    (tmp_path / "study" / "damaged.dcm").write_bytes(b"no DICOM")
    return sorted((tmp_path / "study").glob("1-*.dcm"))


def test_only_these_files_are_read_in_any_order(files: list[Path], tmp_path: Path) -> None:
    for given in (files, tuple(map(str, reversed(files)))):
        scan = open_scan(given)
        np.testing.assert_array_equal(scan.lps, block_array())
        assert scan.warnings == []
        assert scan.name == str(tmp_path / "study")


def test_a_damaged_file_among_them_is_warned_of(files: list[Path], tmp_path: Path) -> None:
    scan = open_scan([*files, tmp_path / "study" / "damaged.dcm"])
    assert [warning.code for warning in scan.warnings] == ["damaged-files"]


def test_a_series_among_them_is_chosen(files: list[Path], tmp_path: Path) -> None:
    both = [path for path in (tmp_path / "study").iterdir() if path.name[0] in "12"]
    with pytest.raises(InputError, match=r"study has 2 CT series, expected one"):
        open_scan(both)
    assert open_scan(both, series="1.2.826.0.1.3680043.2.1125.9.2").array.shape[0] == 9


def test_files_in_several_folders_are_one_series(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "study" / "more").mkdir()
    moved = [path.rename(tmp_path / "study" / "more" / path.name) for path in files[::2]]
    scan = open_scan([*moved, *files[1::2]])
    np.testing.assert_array_equal(scan.lps, block_array())
    assert scan.name == str(tmp_path / "study")


def test_lists_that_are_refused(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.dcm is not there, expected a file of a DICOM series"):
        open_scan([*files, tmp_path / "none.dcm"])
    with pytest.raises(InputError, match=r"study is a folder, expected a file of a DICOM series"):
        open_scan([tmp_path / "study"])
    with pytest.raises(InputError, match="has no DICOM files"):
        open_scan([tmp_path / "study" / "damaged.dcm"])
    with pytest.raises(InputError, match="The volume is a list, expected a path"):
        open_scan([])
    with pytest.raises(InputError, match="`orientation` was given for a volume that is no path"):
        open_scan(files, orientation="LPS")
