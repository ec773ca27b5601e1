"""SavedModels as the command writes them: signature, results, checkpoint, and its messages on failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from efficientscn_trt import cli  # noqa: E402
from efficientscn_trt.errors import ExportError, OutputError  # noqa: E402
from efficientscn_trt.export.reference.checkpoint import read_checkpoint  # noqa: E402
from efficientscn_trt.export.reference.form import TRAINING  # noqa: E402
from efficientscn_trt.export.reference.localization import Localization  # noqa: E402
from efficientscn_trt.export.reference.saved_model import write_saved_model  # noqa: E402
from efficientscn_trt.export.reference.scn import Scn  # noqa: E402
from efficientscn_trt.export.reference.weights import initial_weights  # noqa: E402


def segmentation_weights() -> dict[str, np.ndarray]:
    """Seeded weights that give logits of several units.

    With small logits h is 1, and the spatial networks have no effect.
    """
    weights = initial_weights("segmentation")
    for name, array in weights.items():
        if array.shape[:3] == (1, 1, 1):
            array *= 8 if name.startswith("local") else 20
    return weights


WEIGHTS: dict[str, Callable[[], dict[str, Any]]] = {
    "localization": lambda: initial_weights("localization", seed=1),
    "segmentation": segmentation_weights,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with both networks, written by the command from files."""
    folder = tmp_path_factory.mktemp("models")
    for network, weights in WEIGHTS.items():
        file = folder / f"{network}.npz"
        np.savez(file, **weights())
        assert cli.run(["reference-model", network, "--weights", str(file), "-o", str(folder / network)]) == 0
    return folder


def serve(folder: Path, image: np.ndarray) -> np.ndarray:
    """Run the signature on `image` [z, y, x] under XLA, which a released graph needs on a CPU."""
    model = tf.saved_model.load(str(folder))
    run = tf.function(model.signatures["serving_default"], jit_compile=True)
    return run(image=tf.constant(image[None, None], tf.float16))["output_0"][0].numpy()


@pytest.mark.parametrize(
    ("network", "channels", "dtype"), [("localization", 1, tf.bool), ("segmentation", 5, tf.float16)]
)
def test_signature(network: str, channels: int, dtype: Any, models: Path) -> None:
    signature = tf.saved_model.load(str(models / network)).signatures["serving_default"]
    image = signature.structured_input_signature[1]["image"]
    assert (image.shape.as_list(), image.dtype) == ([None, 1, None, None, None], tf.float16)
    output = signature.structured_outputs["output_0"]
    assert (output.shape.as_list(), output.dtype) == ([None, channels, None, None, None], dtype)


def test_localization_computes_what_the_training_form_does(models: Path) -> None:
    image = np.random.default_rng(0).uniform(-0.5, 0.5, (16, 32, 16)).astype(np.float32)
    logits = Localization(WEIGHTS["localization"](), TRAINING).logits(image[None, ..., None])
    margin = (logits[0, ..., 1] - logits[0, ..., 0]).numpy()
    sure = np.abs(margin) > 0.01 * np.abs(margin).max()
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(serve(models / "localization", image)[0][sure], (margin > 0)[sure])


def test_segmentation_computes_what_the_training_form_does(models: Path) -> None:
    image = np.random.default_rng(0).uniform(-0.5, 0.5, (32, 32, 32)).astype(np.float32)
    expected = Scn(segmentation_weights(), TRAINING)(image[None, ..., None]).probabilities[0].numpy()
    found = serve(models / "segmentation", image)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, np.moveaxis(expected, -1, 0), atol=5e-3)


@pytest.mark.parametrize("network", list(WEIGHTS))
def test_weights_come_back_to_the_bit(network: str, models: Path) -> None:
    found = read_checkpoint(network, models / network).arrays
    expected = WEIGHTS[network]()
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_segmentation_graph_holds_what_a_released_one_does(models: Path) -> None:
    """Shifts, Log1p, a Pow and dropped axes, which an exporter must be able to take.

    The numbers of Sub and Sigmoid are those of the released SavedModel.
    """
    signature = tf.saved_model.load(str(models / "segmentation")).signatures["serving_default"]
    nodes = [
        node for function in signature.graph.as_graph_def().library.function for node in function.node_def
    ]
    operators = ("Conv3D", "Log1p", "Pow", "Unpack", "Sum", "Sub", "Sigmoid")
    count = {op: sum(node.op == op for node in nodes) for op in operators}
    sums = 19 * 6 + 12 + 1  # of 19 linear upsamplings, of the cubic one, of the labels
    assert count == {"Conv3D": 106, "Log1p": 1, "Pow": 1, "Unpack": 2, "Sum": sums, "Sub": 4, "Sigmoid": 4}


def test_an_existing_model_is_not_replaced(models: Path) -> None:
    with pytest.raises(OutputError, match="exists already; give a new folder, or remove this one first"):
        write_saved_model("localization", initial_weights("localization"), models / "localization")


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(model: object, path: str, signatures: object) -> None:
        Path(path).mkdir(exist_ok=True)
        Path(path, "saved_model.pb").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(tf.saved_model, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_saved_model("localization", initial_weights("localization"), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="model cannot be written: "):
        write_saved_model("localization", initial_weights("localization"), tmp_path / "file" / "model")


def test_command_without_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["reference-model", "localization", "-o", str(tmp_path / "new" / "model")]) == 0
    assert "localization network, 637,474 parameters, untrained" in capsys.readouterr().out
    found = read_checkpoint("localization", tmp_path / "new" / "model").arrays
    np.testing.assert_array_equal(found["variables/0"], initial_weights("localization")["variables/0"])


def test_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "none.npz")
    output = tmp_path / "model"
    code = cli.run(["reference-model", "segmentation", "--weights", missing, "-o", str(output)])
    assert code == ExportError.exit_code
    assert "none.npz: there is no such file" in capsys.readouterr().err
    assert not output.exists()
