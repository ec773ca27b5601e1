"""Weights survive the way to the released checkpoint order and back, and work alike in TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from efficientscn_trt.errors import InputError
from efficientscn_trt.training import weights
from efficientscn_trt.training.networks import SpatialConfigurationNet, localization_network


def test_a_round_trip_changes_no_bit(tmp_path: Path) -> None:
    source, target = SpatialConfigurationNet(), SpatialConfigurationNet()
    weights.save(source, tmp_path / "weights.npz")
    weights.load(target, tmp_path / "weights.npz")
    for first, second in zip(source.parameters(), target.parameters(), strict=True):
        assert torch.equal(first, second)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def test_golden_weights_keep_their_names_and_shapes(shared: Path) -> None:
    with np.load(shared / "golden" / "scn_weights.npz") as golden:
        arrays = weights.to_arrays(SpatialConfigurationNet())
        assert list(arrays) == golden.files
        assert all(arrays[name].shape == golden[name].shape for name in golden.files)


def test_wrong_weights_are_refused() -> None:
    arrays = weights.to_arrays(localization_network())
    with pytest.raises(InputError, match="212"):
        weights.from_arrays(SpatialConfigurationNet(), arrays)
    arrays["variables/0"] = arrays["variables/0"][..., :31]
    with pytest.raises(InputError, match=r"variables/0.*31"):
        weights.from_arrays(localization_network(), arrays)


@pytest.mark.parametrize("network", ["localization", "segmentation"])
def test_the_tensorflow_networks_give_the_same(network: str) -> None:
    pytest.importorskip("tensorflow", reason="the TensorFlow networks need the extra [export]")
    import tensorflow as tf

    from efficientscn_trt.export.reference.form import TRAINING
    from efficientscn_trt.export.reference.localization import Localization
    from efficientscn_trt.export.reference.scn import Scn

    torch.manual_seed(3)
    twin = (localization_network() if network == "localization" else SpatialConfigurationNet()).eval()
    arrays = weights.to_arrays(twin)
    image = np.random.default_rng(0).standard_normal((32, 32, 64)).astype(np.float32)
    with torch.no_grad():
        output = twin(torch.from_numpy(image)[None, None])
    channels_last = tf.constant(image[None, ..., None])
    if network == "localization":
        pairs = [(output, Localization(arrays, TRAINING).logits(channels_last, 0.0))]
    else:
        result = Scn(arrays, TRAINING)(channels_last, 0.0)
        pairs = [(value, getattr(result, name)) for name, value in output._asdict().items()]
    for ours, theirs in pairs:
        scale = float(ours.abs().max())
        np.testing.assert_allclose(ours.numpy()[0], np.moveaxis(theirs.numpy()[0], -1, 0), atol=2e-5 * scale)
