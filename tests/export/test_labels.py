"""Who names the labels of a segmentation network, and which codes they get."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.sr.codedict import codes
from support.model_folders import ModelFolders

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

from efficientscn_trt.errors import ExportError
from efficientscn_trt.export.labels import labels_of, with_concepts, write_names
from efficientscn_trt.export.savedmodel import SavedModel, load_saved_model
from efficientscn_trt.io.label_details import LabelDetails
from efficientscn_trt.io.segments import Concept


@pytest.fixture(scope="module")
def saved(tiny_models: ModelFolders) -> SavedModel:
    return load_saved_model(tiny_models.segmentation, "segmentation")


def names(labels: tuple[LabelDetails, ...]) -> list[str]:
    return [label.name for label in labels]


def test_the_channels_are_counted(saved: SavedModel) -> None:
    assert saved.channels == 5


def test_five_channels_are_those_of_the_released_network(saved: SavedModel) -> None:
    found = labels_of(saved, None)
    assert names(found.labels) == ["liver", "kidneys", "spleen", "pancreas"]
    assert found.known and "released network" in found.origin


def test_other_channels_have_numbers(saved: SavedModel) -> None:
    found = labels_of(dataclasses.replace(saved, channels=4), None)
    assert names(found.labels) == ["label 1", "label 2", "label 3"]
    assert not found.known


def test_the_saved_model_may_name_them(saved: SavedModel, tmp_path: Path) -> None:
    mine = dataclasses.replace(saved, path=tmp_path)
    write_names(tmp_path, [LabelDetails(name) for name in "abcd"])
    assert names(labels_of(mine, None).labels) == list("abcd")
    given = [LabelDetails(name) for name in "wxyz"]
    assert names(labels_of(mine, given).labels) == list("wxyz")


@pytest.mark.parametrize("count", [3, 5])
def test_names_of_another_number(saved: SavedModel, count: int) -> None:
    given = [LabelDetails(f"n{index}") for index in range(count)]
    message = (
        rf"returns 5 channels, the background and 4 labels, but {count} are named: n0, .*; name each once"
    )
    with pytest.raises(ExportError, match=message):
        labels_of(saved, given)


@pytest.mark.parametrize(
    ("name", "concept", "side"),
    [
        ("liver", codes.SCT.Liver, None),
        ("Kidneys", codes.SCT.Kidney, "51440002"),
        ("muscles", None, None),
        ("ribs", codes.SCT.Rib, None),
        ("kidney_left", codes.SCT.Kidney, "7771000"),
        ("right adrenal gland", codes.SCT.AdrenalGland, "24028007"),
        ("inferior_vena_cava", codes.SCT.InferiorVenaCava, None),
        ("Gall bladder", codes.SCT.Gallbladder, None),
        ("label 1", None, None),
        ("my right thing", None, None),
    ],
)
def test_codes_by_name(name: str, concept: object, side: str | None) -> None:
    found = with_concepts(LabelDetails(name))
    assert (found.type.code if found.type else None) == getattr(concept, "value", None)
    assert (found.modifier.code if found.modifier else None) == side


def test_given_codes_stay() -> None:
    given = LabelDetails("liver", type=Concept("1", "Mine", "99X"))
    assert with_concepts(given) == given


@pytest.mark.parametrize("swapped", ["localization", "segmentation", "both"])
def test_a_wrong_saved_model_is_refused_before_the_work(
    tiny_models: ModelFolders, swapped: str, refusal: Callable[..., str]
) -> None:
    """Both networks are verified before a scan is made and the first network is converted."""
    right = {"localization": tiny_models.localization, "segmentation": tiny_models.segmentation}
    wrong = {"localization": tiny_models.segmentation, "segmentation": tiny_models.localization}
    folders = {role: wrong[role] if swapped in (role, "both") else right[role] for role in right}
    error = refusal(folders["localization"], folders["segmentation"])
    assert f"The {'localization' if swapped == 'both' else swapped} SavedModel" in error
    assert "Check that this is the right network" in error


def test_names_that_do_not_fit_are_refused_before_the_work(
    tiny_models: ModelFolders, refusal: Callable[..., str]
) -> None:
    error = refusal(tiny_models.localization, tiny_models.segmentation, "--labels", "liver,spleen")
    assert "4 labels, but 2 are named: liver, spleen; name each once" in error
