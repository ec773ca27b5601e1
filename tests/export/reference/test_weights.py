"""Weights from a seed and from a file, and the messages for a wrong file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from efficientscn_trt.errors import ExportError
from efficientscn_trt.export.reference.architecture import checkpoint_shapes
from efficientscn_trt.export.reference.weights import initial_weights, load_weights

Weights = dict[str, np.ndarray]


def save(path: Path, weights: dict[str, Any]) -> Path:
    np.savez(path, **weights)
    return path


def test_initial_weights_are_he_normal_and_repeatable() -> None:
    weights = initial_weights("localization", seed=3)
    kernel = weights["variables/2"]  # 3³·32 inputs
    assert kernel.std() == pytest.approx(np.sqrt(2 / (27 * 32)), rel=0.02)
    assert abs(kernel.mean()) < 0.001
    assert not weights["variables/3"].any()
    np.testing.assert_array_equal(kernel, initial_weights("localization", seed=3)["variables/2"])
    assert (kernel != initial_weights("localization", seed=4)["variables/2"]).any()


@pytest.mark.parametrize("network", ["localization", "segmentation"])
def test_a_file_comes_back_in_checkpoint_order(network: str, tmp_path: Path) -> None:
    weights = initial_weights(network)
    shuffled = dict(reversed(weights.items()))
    loaded = load_weights(network, save(tmp_path / "weights.npz", shuffled))
    assert list(loaded) == list(checkpoint_shapes(network))
    for name, array in weights.items():
        np.testing.assert_array_equal(loaded[name], array)


def without(name: str) -> Callable[[Weights], None]:
    return lambda weights: weights.__delitem__(name)


def with_array(name: str, array: np.ndarray) -> Callable[[Weights], None]:
    return lambda weights: weights.__setitem__(name, array)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("variables/7"), r"lacks variables/7; the localization network has 42 arrays"),
        (with_array("variables/42", np.zeros(2)), r"has variables/42, which the network does not have; the"),
        (
            with_array("variables/0", np.zeros((32, 1, 3, 3, 3))),
            r"variables/0 has shape \(32, 1, 3, 3, 3\); expected \(3, 3, 3, 1, 32\)",
        ),
        (with_array("variables/1", np.full(32, np.nan)), r"variables/1 has values that are NaN or beyond"),
        (with_array("variables/1", np.full(32, 7e4)), r"beyond float16 \(±65504\)"),
        (with_array("variables/1", np.full(32, "a")), r"variables/1 holds <U1; expected real numbers"),
        (with_array("variables/1", np.full(32, None)), r"cannot be read as an .npz file of plain arrays"),
    ],
)
def test_wrong_arrays(change: Callable[[Weights], None], message: str, tmp_path: Path) -> None:
    weights = initial_weights("localization")
    change(weights)
    with pytest.raises(ExportError, match=message):
        load_weights("localization", save(tmp_path / "weights.npz", weights))


def test_weights_of_the_other_network(tmp_path: Path) -> None:
    path = save(tmp_path / "weights.npz", initial_weights("localization"))
    with pytest.raises(ExportError, match=r"lacks local_appearance/variables/0 and 211 more arrays"):
        load_weights("segmentation", path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"nowhere\.npz: there is no such file; give an .npz file"):
        load_weights("localization", tmp_path / "nowhere.npz")


def test_not_an_archive(tmp_path: Path) -> None:
    text = tmp_path / "weights.npz"
    text.write_text("not arrays")
    with pytest.raises(ExportError, match=r"cannot be read as an \.npz file"):
        load_weights("localization", text)


def test_truncated_archive(tmp_path: Path) -> None:
    path = save(tmp_path / "weights.npz", initial_weights("localization"))
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ExportError, match=r"cannot be read as an \.npz file"):
        load_weights("localization", path)


def test_single_array(tmp_path: Path) -> None:
    path = tmp_path / "weights.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(ExportError, match=r"holds a single array; expected an \.npz file"):
        load_weights("localization", path)
