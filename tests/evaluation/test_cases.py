"""Pairs of label maps, their scores and the tables."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from efficientscn_trt import InputError
from efficientscn_trt.evaluation import Case, Score, find_cases, score_case, summarize, to_markdown, write_csv

NAMES = {0: "background", 1: "liver", 2: "kidneys"}


def _write(path: Path, labels: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 2.0)) -> Path:
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing(spacing)
    path.parent.mkdir(exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def _block(shift: int = 0, dtype: type[np.generic] = np.uint8) -> np.ndarray:
    labels = np.zeros((8, 12, 12), np.uint8)
    labels[2:6, 2:6, 2 + shift : 6 + shift] = 1
    return labels.astype(dtype)


def test_folders_are_paired_by_name(tmp_path: Path) -> None:
    for name in ("b.nii.gz", "a.nrrd", "c.nii"):
        _write(tmp_path / "references" / name, _block())
        _write(tmp_path / "predictions" / Path(name).with_suffix("").with_suffix(".mha"), _block())
    (tmp_path / "predictions" / "a.mha").unlink()
    _write(tmp_path / "predictions" / "a.seg.nrrd", _block())
    (tmp_path / "references" / "notes.txt").touch()
    _write(tmp_path / "predictions" / "more.nii.gz", _block())
    cases = find_cases(tmp_path / "predictions", tmp_path / "references")
    assert [case.name for case in cases] == ["a", "b", "c"]
    assert cases[1].prediction.name == "b.mha"
    assert cases[1].reference.name == "b.nii.gz"


def test_a_missing_prediction_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "references" / "one.nii.gz", _block())
    _write(tmp_path / "references" / "two.nii.gz", _block())
    _write(tmp_path / "predictions" / "one.nii.gz", _block())
    with pytest.raises(InputError, match=r"lacks the predictions of 1 of 2 references \(two\)"):
        find_cases(tmp_path / "predictions", tmp_path / "references")


def test_file_and_folder_do_not_mix(tmp_path: Path) -> None:
    file = _write(tmp_path / "one.nii.gz", _block())
    with pytest.raises(InputError, match="must be two files or two folders"):
        find_cases(file, tmp_path)
    with pytest.raises(InputError, match=r"There is no file or folder .*nowhere"):
        find_cases(tmp_path / "nowhere", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no label maps"):
        find_cases(tmp_path, tmp_path / "empty")


def test_scores_of_a_pair(tmp_path: Path) -> None:
    prediction = _write(tmp_path / "p.nii.gz", _block(1, np.float32))
    reference = _write(tmp_path / "r.nii.gz", _block(0, np.int16))
    liver, kidneys = score_case(Case("one", prediction, reference), NAMES)
    assert liver.dsc == pytest.approx(0.75)
    assert liver.nsd == 1  # moved by one voxel of 1 mm
    assert liver.reference_ml == pytest.approx(4 * 4 * 4 * 2 / 1000)
    assert kidneys == Score("one", "kidneys", 1.0, 1.0, 0.0, 0.0)


def test_both_must_be_on_one_grid(tmp_path: Path) -> None:
    reference = _write(tmp_path / "r.nii.gz", _block())
    other = _write(tmp_path / "p.nii.gz", _block(), (1.0, 1.0, 2.5))
    with pytest.raises(InputError, match=r"has the spacing 1 1 2\.5, but its reference has 1 1 2"):
        score_case(Case("one", other, reference), NAMES)
    other = _write(tmp_path / "q.nii.gz", _block()[:, :, 1:])
    with pytest.raises(InputError, match=r"has 11 × 12 × 8 voxels, but its reference has 12 × 12 × 8"):
        score_case(Case("one", other, reference), NAMES)


def test_grids_may_differ_by_rounding(tmp_path: Path) -> None:
    reference = _write(tmp_path / "r.nii.gz", _block())
    prediction = _write(tmp_path / "p.nii.gz", _block(), (1.0, 1.0, 2.0001))
    assert score_case(Case("one", prediction, reference), NAMES)[0].dsc == 1


def test_a_scan_is_no_label_map(tmp_path: Path) -> None:
    labels = _write(tmp_path / "r.nii.gz", _block())
    scan = _write(tmp_path / "ct.nii.gz", _block().astype(np.int16) * 37 - 1000)
    message = r"ct\.nii\.gz has the values -1000, -963, expected only the labels 0 background, 1 liver"
    with pytest.raises(InputError, match=message):
        score_case(Case("one", scan, labels), NAMES)


def test_a_sheared_label_map_is_refused(tmp_path: Path) -> None:
    """Its voxels are no boxes, so distances and volumes in them would be wrong."""
    affine = np.diag([1.0, 1, 2, 1])
    affine[0, 2] = 0.5
    labels = nibabel.Nifti1Image(_block().transpose(), affine)
    nibabel.save(labels, tmp_path / "r.nii.gz")
    with pytest.raises(InputError, match=r"r\.nii\.gz has axes that are not perpendicular; save the label"):
        score_case(Case("one", tmp_path / "r.nii.gz", tmp_path / "r.nii.gz"), NAMES)


SCORES = [
    Score("a", "liver", 0.9, 0.8, 1000.0, 1100.0),
    Score("a", "kidneys", 1.0, 1.0, 0.0, 0.0),
    Score("b", "liver", 0.8, 0.4, 900.0, 1100.0),
    Score("b", "kidneys", 0.0, 0.0, 0.0, 3.0),
]


def test_mean_and_sd() -> None:
    liver, kidneys = summarize(SCORES)
    assert (liver.label, liver.cases) == ("liver", 2)
    assert liver.dsc_mean == pytest.approx(0.85)
    assert liver.dsc_sd == pytest.approx(0.1 / np.sqrt(2))
    assert (liver.dsc, liver.nsd) == ("85.00 ± 7.07", "60.00 ± 28.28")
    assert kidneys.dsc == "50.00 ± 70.71"
    assert summarize(SCORES[:1])[0].dsc == "90.00"


def test_csv_and_markdown(tmp_path: Path) -> None:
    write_csv(SCORES, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["case"] for row in rows] == ["a", "a", "b", "b"]
    assert float(rows[2]["nsd"]) == 0.4
    text = to_markdown(SCORES)
    assert "| Liver | 85.00 ± 7.07 | 60.00 ± 28.28 |" in text
    assert "| b | 80.00 | 40.00 | 0.00 | 0.00 |" in text
