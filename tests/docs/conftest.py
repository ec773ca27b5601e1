"""The folder in which a reader of the documentation works."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk
from support.model_folders import ModelFolders

from efficientscn_trt.bundle import Bundle

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def belongings(
    tiny_models: ModelFolders, tiny_export: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What a reader has: scans, label maps, training cases, two trained models and their bundle."""
    pytest.importorskip("torch")
    from support.dicom import complete, write_series
    from support.nifti import block_nifti
    from support.scans import block_image, block_labels
    from support.tiny_cases import tiny_case, write_case

    folder = tmp_path_factory.mktemp("belongings")
    scan = block_image()
    sitk.WriteImage(scan, str(folder / "ct.nii.gz"))
    labels = sitk.GetImageFromArray(block_labels())
    labels.CopyInformation(scan)
    for name, image in (("scans", scan), ("predictions", labels), ("references", labels)):
        (folder / name).mkdir()
        for case in ("first", "second"):
            sitk.WriteImage(image, str(folder / name / f"{case}.nii.gz"))
    rows = ["id,path", *(f"{case},scans/{case}.nii.gz" for case in ("first", "second"))]
    (folder / "scans.csv").write_text("\n".join(rows) + "\n")
    write_series(scan, folder / "dicom-folder", change=lambda _, dataset: complete(dataset))
    block_nifti(folder / "unoriented.nii.gz", qform=None, sform=None)
    write_case(folder / "cases", "case", *tiny_case(0))
    shutil.copytree(tiny_models.localization, folder / "saved_models" / "localization")
    shutil.copytree(tiny_models.segmentation, folder / "saved_models" / "segmentation")
    shutil.copytree(tiny_export.path, folder / "my-bundle")
    return folder


@pytest.fixture
def workplace(belongings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of one reader, with a copy of the belongings and the package's commands."""
    folder = tmp_path / "workplace"
    shutil.copytree(belongings, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("EFFICIENTSCN_BUNDLE", "EFFICIENTSCN_DEBUG", "EFFICIENTSCN_TRUSTED_KEYS", "ESCN_SIMD"):
        monkeypatch.delenv(name, raising=False)
    return folder
