"""Weights of TensorFlow checkpoints, with the names that Keras 2 gives them, and of archives of these."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("tf_keras")

from support.keras_networks import (  # noqa: E402
    LocalAppearanceModel,
    LocalizationModel,
    SpatialConfigurationModel,
)

from efficientscn_trt import cli  # noqa: E402
from efficientscn_trt.errors import ExportError  # noqa: E402
from efficientscn_trt.export.reference.architecture import ScnArchitecture  # noqa: E402
from efficientscn_trt.export.reference.checkpoint import read_checkpoint  # noqa: E402
from efficientscn_trt.export.reference.checkpoint_names import VALUE, in_our_names  # noqa: E402
from efficientscn_trt.export.reference.form import TRAINING  # noqa: E402
from efficientscn_trt.export.reference.localization import Localization  # noqa: E402
from efficientscn_trt.export.reference.scn import Scn  # noqa: E402
from efficientscn_trt.export.reference.upsample import upsample_cubic  # noqa: E402
from efficientscn_trt.export.reference.weights import initial_weights, load_weights  # noqa: E402

SCN = ScnArchitecture(3)
IMAGE = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 32, 1)).astype(np.float32)


@dataclass(frozen=True)
class Trained:
    """Models of Keras, their outputs for `IMAGE`, and their checkpoint."""

    localization: Any
    local: Any
    spatial: Any
    logits: dict[str, np.ndarray]
    folder: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    keras.utils.set_random_seed(1)
    folder = tmp_path_factory.mktemp("checkpoints")
    localization, local, spatial = (
        LocalizationModel(),
        LocalAppearanceModel(SCN),
        SpatialConfigurationModel(SCN),
    )
    logits = {"localization": localization(IMAGE).numpy(), "local": local(IMAGE)}
    low = spatial([IMAGE, tf.sigmoid(logits["local"])])
    logits["spatial"] = upsample_cubic(low, TRAINING).numpy()
    optimizer = keras.optimizers.legacy.Adam()
    variables = localization.trainable_variables
    optimizer.apply_gradients([(tf.zeros_like(variable), variable) for variable in variables])  # makes slots
    tf.train.Checkpoint(model=localization, optimizer=optimizer).save(str(folder / "localization" / "ckpt"))
    tf.train.Checkpoint(local_appearance=local, spatial_configuration=spatial).save(
        str(folder / "segmentation" / "ckpt")
    )
    return Trained(localization, local, spatial, logits, folder)


def check_localization(weights: dict[str, np.ndarray], trained: Trained) -> None:
    found = Localization(weights, TRAINING).logits(tf.constant(IMAGE)).numpy()
    np.testing.assert_allclose(found, trained.logits["localization"], atol=1e-4)


def check_segmentation(weights: dict[str, np.ndarray], trained: Trained) -> None:
    found = Scn(weights, TRAINING)(tf.constant(IMAGE))
    np.testing.assert_allclose(found.local_logits, trained.logits["local"], atol=1e-4)
    np.testing.assert_allclose(found.spatial_logits, trained.logits["spatial"], atol=1e-4)


@pytest.mark.parametrize("name", ["ckpt-1", "ckpt-1.index", "."])
def test_localization(trained: Trained, name: str) -> None:
    found = read_checkpoint("localization", trained.folder / "localization" / name)
    check_localization(found.arrays, trained)
    assert not found.averaged


def test_segmentation(trained: Trained) -> None:
    check_segmentation(
        read_checkpoint("segmentation", trained.folder / "segmentation" / "ckpt-1").arrays, trained
    )


def test_the_command(trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prefix = trained.folder / "segmentation" / "ckpt-1"
    command = ["reference-model", "segmentation", "--checkpoint", str(prefix), "-o", str(tmp_path / "model")]
    assert cli.run([*command, "--labels", "liver,spleen"]) == 0
    assert f"parameters, weights from {prefix}" in capsys.readouterr().out
    check_segmentation(read_checkpoint("segmentation", tmp_path / "model").arrays, trained)
    assert cli.run([*command, "--weights", "x.npz"]) == 2


def test_a_saved_model_has_keys_of_its_own(trained: Trained, tmp_path: Path) -> None:
    """As in the released SavedModels: the numbers of all variables of a model."""
    module = tf.Module()
    module.local_appearance, module.spatial_configuration = trained.local, trained.spatial
    tf.saved_model.save(module, str(tmp_path))
    keys = set(
        tf.train.load_checkpoint(str(tmp_path / "variables" / "variables")).get_variable_to_shape_map()
    )
    assert f"local_appearance/variables/0{VALUE}" in keys
    check_segmentation(read_checkpoint("segmentation", tmp_path).arrays, trained)


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]


@pytest.mark.parametrize("last", ["prediction", "variables"])
def test_archives_with_released_names(trained: Trained, tmp_path: Path, last: str) -> None:
    """The index of the released segmentation network has two arrays as `prediction/kernel` and `/bias`."""
    ours = read_checkpoint("segmentation", trained.folder / "segmentation" / "ckpt-1").arrays
    released = dict(ours)
    if last == "prediction":
        released["local_appearance/prediction/kernel"] = released.pop("local_appearance/variables/40")
        released["local_appearance/prediction/bias"] = released.pop("local_appearance/variables/41")
    save(tmp_path / "w.npz", {f"{name}{VALUE}": array for name, array in released.items()})
    found = load_weights("segmentation", tmp_path / "w.npz")
    assert list(found) == list(ours)
    check_segmentation(found, trained)


def test_an_archive_of_the_localization_network(tmp_path: Path) -> None:
    weights = initial_weights("localization")
    save(tmp_path / "w.npz", {f"model/{name}": array for name, array in weights.items()})
    found = load_weights("localization", tmp_path / "w.npz")
    assert list(found) == list(weights)
    np.testing.assert_array_equal(found["variables/40"], weights["variables/40"])


def test_two_arrays_of_one_name() -> None:
    with pytest.raises(ExportError, match="w has two arrays variables/0; keep one of them"):
        in_our_names("localization", {"variables/0": 1, "model/variables/0": 2}, "w")


@pytest.mark.parametrize("kind", ["Keras", "tf.train"])
def test_moving_averages(trained: Trained, tmp_path: Path, kind: str) -> None:
    model = LocalizationModel()
    model(IMAGE)
    model.set_weights(trained.localization.get_weights())
    variables = model.trainable_variables
    if kind == "Keras":
        optimizer = keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5)
        optimizer.apply_gradients([(tf.ones_like(variable), variable) for variable in variables])
        expected = [average.numpy() for average in optimizer._model_variables_moving_average]
        saved = tf.train.Checkpoint(model=model, optimizer=optimizer)
    else:
        averages = tf.train.ExponentialMovingAverage(0.5)
        averages.apply(variables)
        for variable in variables:
            variable.assign_add(tf.ones_like(variable))
        averages.apply(variables)
        kept = [averages.average(variable) for variable in variables]
        expected = [average.numpy() for average in kept]
        saved = tf.train.Checkpoint(model=model, averages=kept)
    found = read_checkpoint("localization", saved.save(str(tmp_path / "ckpt")))
    assert found.averaged
    for array, average, weight in zip(found.arrays.values(), expected, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, average)
        assert (array != weight).any()


def test_averages_of_some_arrays_only(trained: Trained, tmp_path: Path) -> None:
    averages = tf.train.ExponentialMovingAverage(0.5)
    some = trained.localization.trainable_variables[:-1]
    averages.apply(some)
    kept = [averages.average(variable) for variable in some]
    prefix = tf.train.Checkpoint(model=trained.localization, averages=kept).save(str(tmp_path / "ckpt"))
    with pytest.raises(
        ExportError, match="holds moving averages, but lacks that of model/prediction/layers/0/bias"
    ):
        read_checkpoint("localization", prefix)


def test_the_other_network(trained: Trained) -> None:
    with pytest.raises(ExportError, match=r"lacks variables/0 and 41 more arrays"):
        read_checkpoint("localization", trained.folder / "segmentation" / "ckpt-1")


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"is no TensorFlow checkpoint: there is no none\.index; give"):
        read_checkpoint("localization", tmp_path / "none")


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "ckpt-1.index").write_bytes(b"nothing")
    with pytest.raises(ExportError, match="holds no readable TensorFlow checkpoint"):
        read_checkpoint("localization", tmp_path / "ckpt-1")
