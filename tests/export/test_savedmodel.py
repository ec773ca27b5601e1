"""What is refused before any work is done, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

import tensorflow as tf
from support.model_folders import ModelFolders
from support.tiny_models import IMAGE, LABELS, TinyLocalization, save

from efficientscn_trt.errors import ExportError
from efficientscn_trt.export import savedmodel
from efficientscn_trt.export.savedmodel import load_saved_model


def test_a_good_one(tiny_models: ModelFolders) -> None:
    saved = load_saved_model(tiny_models.segmentation, "segmentation", LABELS)
    loaded = tf.saved_model.load(str(tiny_models.segmentation))
    variables = loaded.signatures["serving_default"].variables
    assert saved.parameters == sum(np.prod(each.shape) for each in variables)
    assert len(saved.sha256()) == 64
    image = np.random.default_rng(0).standard_normal((1, 1, 32, 32, 32), np.float32)
    probabilities = saved.run(image)
    assert probabilities.shape == (1, LABELS, 32, 32, 32)
    np.testing.assert_allclose(probabilities.sum(axis=1, dtype=np.float32), 1, atol=3e-3)


def test_its_digest_is_of_names_and_contents(tmp_path: Path, tiny_models: ModelFolders) -> None:
    saved = load_saved_model(tiny_models.localization, "localization", LABELS)
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in saved.path.rglob("*"):
        if file.is_file():
            target = copy / file.relative_to(saved.path)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(file.read_bytes())
    again = load_saved_model(copy, "localization", LABELS)
    assert again.sha256() == saved.sha256()
    (copy / "fingerprint.pb").write_bytes(b"other")
    assert again.sha256() != saved.sha256()


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(
        ExportError, match="missing is not a TensorFlow SavedModel, because it is not a folder"
    ):
        load_saved_model(tmp_path / "missing", "localization", LABELS)


def test_no_model_in_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"holds no saved_model.pb; give the folder of the segmentation"):
        load_saved_model(tmp_path, "segmentation", LABELS)


def test_a_damaged_model(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"not a protocol buffer")
    with pytest.raises(ExportError, match=r"cannot be loaded .*copy or save the model again"):
        load_saved_model(tmp_path, "localization", LABELS)


def test_no_signature(tmp_path: Path) -> None:
    module = TinyLocalization()
    save(tmp_path / "model", module, predict=module)
    with pytest.raises(ExportError, match=r"no signature serving_default \(found: predict\)"):
        load_saved_model(tmp_path / "model", "localization", LABELS)


def test_networks_exchanged(tiny_models: ModelFolders) -> None:
    with pytest.raises(ExportError, match=r"float16 of shape \[\?, 5, .*; expected bool of shape \[n, 1"):
        load_saved_model(tiny_models.segmentation, "localization", LABELS)


def test_another_number_of_labels(tiny_models: ModelFolders) -> None:
    with pytest.raises(ExportError, match=r"expected floating point of shape \[n, 3, z, y, x\]"):
        load_saved_model(tiny_models.segmentation, "segmentation", 3)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (
            [None, None, None, 1],
            r"input image is float16 of shape \[\?, \?, \?, 1\]; expected floating",
        ),
        ([None, None, None, None, 1], r"of shape \[\?, \?, \?, \?, 1\]; expected .* \(channels first\)"),
        (
            [None, 3, None, None, None],
            r"\[\?, 3, \?, \?, \?\]; expected .* of shape \[n, 1, z, y, x\]",
        ),
        ([None, 1, 64, 64, 64], "takes one size only; .* with free z, y and x"),
    ],
)
def test_another_input(tmp_path: Path, shape: list[int | None], sentence: str) -> None:
    module = tf.Module()
    save(
        tmp_path / "model",
        module,
        tf.TensorSpec(shape, tf.float16, name="image"),
        serving_default=lambda image: {"mask": image > 0},
    )
    with pytest.raises(ExportError, match=sentence):
        load_saved_model(tmp_path / "model", "localization", LABELS)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (lambda image: image / 0.0, r"returns NaN or infinity for the check's scan, expected finite numbers"),
        (
            lambda image: image[:, :, ::2],
            r"returns \[1, 2, 4, 8, 8\] for an image of \[1, 1, 8, 8, 8\], expected \[1, 2, 8, 8, 8\]",
        ),
    ],
)
def test_outputs_that_are_none(
    tmp_path: Path, output: Callable[[tf.Tensor], tf.Tensor], sentence: str
) -> None:
    folder = save(
        tmp_path / "model", tf.Module(), IMAGE, serving_default=lambda x: output(tf.concat([x, x], 1))
    )
    with pytest.raises(ExportError, match=sentence):
        load_saved_model(folder, "segmentation").run(np.ones((1, 1, 8, 8, 8), np.float32))


def test_two_outputs(tmp_path: Path) -> None:
    save(tmp_path / "model", tf.Module(), IMAGE, serving_default=lambda x: {"a": x > 0, "b": x})
    with pytest.raises(ExportError, match="1 inputs and 2 outputs, expected one of each"):
        load_saved_model(tmp_path / "model", "localization", LABELS)


@pytest.mark.parametrize("missing", ["tensorflow", "tf2onnx"])
def test_without_the_packages(
    monkeypatch: pytest.MonkeyPatch, tiny_models: ModelFolders, missing: str
) -> None:
    find = savedmodel.import_tensorflow.__globals__["importlib"].util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == missing else find(name, *rest)
    )
    with pytest.raises(ExportError, match=rf"needs {missing}, .*pip install 'efficientscn-trt\[export\]'"):
        load_saved_model(tiny_models.localization, "localization", LABELS)


def test_a_size_that_it_does_not_take(tiny_models: ModelFolders) -> None:
    saved = load_saved_model(tiny_models.localization, "localization", LABELS)
    with pytest.raises(ExportError, match=r"does not run at 15 × 16 × 16 voxels, a size that the pipeline"):
        saved.run(np.zeros((1, 1, 15, 16, 16), np.float32))
