"""`efficientscn-trt train`: a run from the command line to a SavedModel."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from support.tiny_cases import tiny_case, write_case

from efficientscn_trt import cli
from efficientscn_trt.bundle.label_list import read_labels
from efficientscn_trt.errors import InputError
from efficientscn_trt.training.prepare import PreparedCase

CROP = ("--crop", "32", "32", "32")


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    write_case(tmp_path / "cases", "case", *tiny_case(0))
    return tmp_path / "cases"


def run(*arguments: object) -> int:
    return cli.run(["train", *map(str, arguments)])


def test_a_run_writes_weights_and_curves_and_resumes(cases: Path, tmp_path: Path) -> None:
    command = ("localization", "--cases", cases, "-o", tmp_path / "run", "--steps", 2, "--threads", 2, *CROP)
    assert run(*command) == 0
    made = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"weights.npz", "checkpoint.pt", "history.csv", "curves.png", "config.json"} <= made
    if importlib.util.find_spec("tensorflow"):
        assert (tmp_path / "run" / "saved_model" / "saved_model.pb").is_file()
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["learning_rate"], config["dropout"], config["crops"]) == (1e-4, 0.1, [[32, 32, 32]])
    with np.load(tmp_path / "run" / "weights.npz") as weights:
        assert len(weights.files) == 42


def test_the_command_of_a_run_that_ended_succeeds_again(cases: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    command = ("localization", "--cases", cases, "-o", tmp_path / "run", "--steps", 1, "--threads", 2, *CROP)
    model = tmp_path / "run" / "saved_model" / "variables" / "variables.data-00000-of-00001"
    assert run(*command) == 0
    first = model.read_bytes()
    assert run(*command) == 0
    assert model.read_bytes() == first


def test_without_tensorflow_a_run_ends_with_the_command_for_its_saved_model(
    cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "tensorflow" else find(name))
    command = ("localization", "--cases", cases, "-o", tmp_path / "run", "--steps", 1, "--threads", 2, *CROP)
    assert run(*command) == 0
    assert "run: efficientscn-trt reference-model localization --weights" in capsys.readouterr().out
    assert not (tmp_path / "run" / "saved_model").exists()


def test_the_segmentation_network_is_trained_on_phantoms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("efficientscn_trt.cli.train._write_saved_model", lambda *_: None)
    command = ("segmentation", "--phantoms", 1, "--quick", "-o", tmp_path / "run", "--steps", 1, *CROP)
    assert run(*command) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["decay"] == "cosine" and "Phantoms(count=1" in config["cases"]


def test_the_segmentation_network_is_trained_at_a_chosen_spacing(
    cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("efficientscn_trt.cli.train._write_saved_model", lambda *_: None)
    command = ("segmentation", "--cases", cases, "--quick", "-o", tmp_path / "run", "--steps", 1, *CROP)
    assert run(*command, "--spacing", 4) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["spacing_mm"], config["smallest"]) == (4.0, 200.0)
    (prepared,) = (tmp_path / "run" / "cache").glob("*.npz")
    assert PreparedCase.load(prepared).spacing == 4.0


def test_other_labels_reach_the_saved_model(cases: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from efficientscn_trt.export.labels import NAMES_FILE

    names = ("stomach", "right kidney", "left kidney", "aorta", "colon")
    command = ("segmentation", "--cases", cases, "-o", tmp_path / "run", "--steps", 1, *CROP)
    assert run(*command, "--labels", ",".join(names)) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["labels"] == list(names)
    with np.load(tmp_path / "run" / "weights.npz") as weights:
        assert weights["local_appearance/variables/41"].shape == (6,)
    kept = read_labels(tmp_path / "run" / "saved_model" / NAMES_FILE)
    assert tuple(label.name for label in kept) == names
    header = (tmp_path / "run" / "history.csv").read_text().splitlines()[0]
    assert header.endswith("dice_5")


def test_a_label_map_with_more_values_than_labels(
    cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("segmentation", "--cases", cases, "-o", tmp_path / "run", "--steps", 1, *CROP)
    assert run(*command, "--labels", "liver,aorta") == InputError.exit_code
    error = " ".join(capsys.readouterr().err.split())
    assert "hold the value 3; expected 0 to 2, background, liver, aorta; give all with --labels." in error


def test_phantoms_have_labels_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("segmentation", "--phantoms", 1, "-o", tmp_path / "run", "--steps", 1)
    assert run(*command, "--labels", "liver,aorta") == 2
    assert "Phantoms have the labels liver, kidneys, spleen, pancreas" in capsys.readouterr().err


def test_nothing_to_train_on_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("localization", "-o", tmp_path / "run", "--steps", 1) == 2
    assert "--phantoms" in capsys.readouterr().err


def test_a_folder_without_cases_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("localization", "--cases", tmp_path, "-o", tmp_path / "run", "--steps", 1)
    assert code == InputError.exit_code
    assert "images/NAME" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_unknown_device_is_a_wrong_command_line(cases: Path, tmp_path: Path) -> None:
    assert run("localization", "--cases", cases, "-o", tmp_path / "run", "--steps", 1, "--device", "gpu") == 2
