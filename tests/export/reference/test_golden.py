"""Both networks with known weights against the reference run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from efficientscn_trt.export.reference.checkpoint import read_checkpoint  # noqa: E402
from efficientscn_trt.export.reference.form import RELEASED, TRAINING  # noqa: E402
from efficientscn_trt.export.reference.localization import Localization  # noqa: E402
from efficientscn_trt.export.reference.scn import Scn  # noqa: E402
from efficientscn_trt.export.reference.weights import load_weights  # noqa: E402


@pytest.fixture(scope="module")
def scn_weights(shared: Path) -> dict[str, np.ndarray]:
    return load_weights("segmentation", shared / "golden" / "scn_weights.npz")


def test_scn_in_float32(shared: Path, scn_weights: dict[str, np.ndarray]) -> None:
    with np.load(shared / "golden" / "scn_small.npz") as golden:
        output = Scn(scn_weights, TRAINING)(tf.constant(golden["input"][None, ..., None]))
        for name, found in output._asdict().items():
            np.testing.assert_allclose(np.moveaxis(found[0].numpy(), -1, 0), golden[name], atol=1e-4)


def test_released_scn_under_xla(shared: Path, scn_weights: dict[str, np.ndarray]) -> None:
    scn = Scn(scn_weights, RELEASED)
    run = tf.function(lambda image: scn(image).probabilities, jit_compile=True)
    with np.load(shared / "golden" / "scn_small.npz") as golden:
        found = run(tf.constant(golden["input"][None, None], tf.float16))[0].numpy().astype(np.float32)
        expected = golden["probabilities"]
    assert np.abs(found - expected).max() < 5e-3
    assert (found.argmax(0) == expected.argmax(0)).mean() > 0.997  # the reference's own float16 noise


def test_localization_in_float32(shared: Path) -> None:
    """Also reads the weights out of a released SavedModel."""
    weights = read_checkpoint("localization", shared / "models" / "localization").arrays
    with np.load(shared / "golden" / "example_ct.npz") as golden:
        image, expected = golden["localization_input"], golden["localization_mask"]
    found = Localization(weights, TRAINING)(tf.constant(image[None, ..., None]))[0, ..., 0].numpy()
    assert expected.sum() == 8463
    assert (found != expected).sum() <= 2
