"""`evaluate`: the tables of label maps against references."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import block_image, block_labels

from .conftest import Run


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions and references of two cases; the second prediction is moved by one voxel."""
    for folder, shifts in (("predictions", (0, 1)), ("references", (0, 0))):
        (tmp_path / folder).mkdir()
        for name, shift in zip("ab", shifts, strict=True):
            image = sitk.GetImageFromArray(np.roll(block_labels(), shift, axis=2))
            image.CopyInformation(block_image())
            sitk.WriteImage(image, str(tmp_path / folder / f"{name}.nii.gz"))
    return tmp_path / "predictions", tmp_path / "references"


def test_tables(folders: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
    scores, markdown = tmp_path / "scores.csv", tmp_path / "scores.md"
    done = run("evaluate", *folders, "--csv", scores, "--markdown", markdown)
    assert done.returncode == 0, done.stderr
    assert "Agreement (2 cases, mean ± SD)" in done.stdout

    with scores.open(newline="") as stream:
        rows = {(row["case"], row["label"]): row for row in csv.DictReader(stream)}
    measures = sitk.LabelOverlapMeasuresImageFilter()
    images = [sitk.ReadImage(str(folder / "b.nii.gz")) for folder in reversed(folders)]
    measures.Execute(*images)
    for value, label in enumerate(("liver", "kidneys", "spleen", "pancreas"), 1):
        assert float(rows["a", label]["dsc"]) == float(rows["a", label]["nsd"]) == 1
        assert float(rows["b", label]["dsc"]) == pytest.approx(measures.GetDiceCoefficient(value), abs=1e-6)
        assert 0 < float(rows["b", label]["nsd"]) < 1
    liver = [100 * float(rows[case, "liver"]["dsc"]) for case in "ab"]
    text = f"{np.mean(liver):.2f} ± {np.std(liver, ddof=1):.2f}"
    assert text in done.stdout
    assert f"| Liver | {text} |" in markdown.read_text(encoding="utf-8")


def test_two_files(folders: tuple[Path, Path], run: Run) -> None:
    done = run("evaluate", *(folder / "a.nii.gz" for folder in folders))
    assert done.returncode == 0, done.stderr
    assert "Agreement (1 case)" in done.stdout
    assert done.stdout.count("100.00") == 8


def test_refusals(folders: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
    predictions, references = folders
    done = run("evaluate", predictions, references, "--csv", tmp_path / "no" / "scores.csv")
    assert done.returncode == 5
    assert "there is no folder" in done.stderr
    (predictions / "b.nii.gz").unlink()
    done = run("evaluate", predictions, references)
    assert done.returncode == 3
    assert "lacks the predictions of 1 of 2 references (b)" in done.stderr
