"""The PyTorch networks: their sizes, results and operators are those of the released networks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from efficientscn_trt.training import weights
from efficientscn_trt.training.networks import (
    SpatialConfigurationNet,
    UNet,
    combine,
    localization_network,
    standardize_input,
    upsample_cubic,
)


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameters_are_those_of_the_paper() -> None:
    assert parameters(localization_network()) == 637_474
    assert parameters(SpatialConfigurationNet()) == 1_270_090


@pytest.mark.parametrize("name", ["local_logits", "spatial_logits", "probabilities"])
def test_golden_outputs(shared: Path, name: str, golden_output: dict[str, np.ndarray]) -> None:
    golden = np.load(shared / "golden" / "scn_small.npz")[name]
    np.testing.assert_allclose(golden_output[name], golden, atol=1e-4)


@pytest.fixture(scope="module")
def golden_output(shared: Path) -> dict[str, np.ndarray]:
    network = SpatialConfigurationNet().eval()
    weights.load(network, shared / "golden" / "scn_weights.npz")
    image = torch.from_numpy(np.load(shared / "golden" / "scn_small.npz")["input"])
    with torch.no_grad():
        return {name: value[0].numpy() for name, value in network(image[None, None])._asdict().items()}


def test_spatial_networks_see_all_foreground_labels_but_their_own() -> None:
    network = SpatialConfigurationNet()
    assert [network.seen_by(label) for label in range(5)] == [
        [1, 2, 3, 4],
        [2, 3, 4],
        [1, 3, 4],
        [1, 2, 4],
        [1, 2, 3],
    ]


def test_combination_by_hand() -> None:
    # One voxel of two labels: s = 1/2 has entropy 1, so p = l; s = 0.9 has entropy 0.469.
    local = torch.tensor([0.3, 0.6]).reshape(1, 2, 1, 1, 1)
    spatial = torch.tensor([0.0, math.log(9)]).reshape(1, 2, 1, 1, 1)
    h = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))
    mixed = np.array([0.3, 0.6 * h + 0.9 * (1 - h)])
    result = combine(local, spatial).flatten().numpy()
    np.testing.assert_allclose(result, mixed / (mixed.sum() + 1e-5), rtol=1e-5)


def test_combination_is_finite_where_the_spatial_network_is_certain() -> None:
    spatial = torch.tensor([1e4, -1e4]).reshape(1, 2, 1, 1, 1)
    result = combine(torch.full((1, 2, 1, 1, 1), 0.5), spatial).flatten()
    np.testing.assert_allclose(result, [1, 0], atol=1e-4)


def test_cubic_upsampling_by_hand() -> None:
    line = torch.tensor([1.0, 2.0, 4.0, 8.0]).reshape(1, 1, 1, 1, 4)
    result = upsample_cubic(line, 4).reshape(4, 4, 16)
    assert torch.equal(result[0, 0], result[3, 2])  # the other axes are constant
    # Phase 3/8 past the voxel of value 2: cubic convolution with A = −1/2 of 1, 2, 4, 8.
    t = 0.125
    taps = [-0.5 * t**3 + t**2 - 0.5 * t, 1.5 * t**3 - 2.5 * t**2 + 1, -1.5 * t**3 + 2 * t**2 + 0.5 * t]
    taps.append(0.5 * t**3 - 0.5 * t**2)
    assert float(result[0, 0, 6]) == pytest.approx(np.dot(taps, [1, 2, 4, 8]), rel=1e-6)
    # Before the first voxel its value repeats.
    t = 0.875
    taps = [-0.5 * t**3 + t**2 - 0.5 * t, 1.5 * t**3 - 2.5 * t**2 + 1, -1.5 * t**3 + 2 * t**2 + 0.5 * t]
    taps.append(0.5 * t**3 - 0.5 * t**2)
    assert float(result[0, 0, 1]) == pytest.approx(np.dot(taps, [1, 1, 1, 2]), rel=1e-6)


def test_small_volumes_take_the_fast_path_with_equal_numbers() -> None:
    torch.manual_seed(0)
    network = UNet(1, 2, levels=2, filters=16).eval()
    small = torch.randn(2, 1, 16, 16, 16)
    with torch.no_grad():
        pair = network(small)
        alone = torch.cat([network(small[:1]), network(small[1:])])
    np.testing.assert_allclose(alone, pair, atol=1e-5)


def test_dropout_acts_in_training_alone() -> None:
    network = UNet(1, 2, levels=2, filters=16, dropout=0.5)
    image = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        assert not torch.equal(network(image), network(image))
        network.eval()
        assert torch.equal(network(image), network(image))


def test_initialization_keeps_the_deviation() -> None:
    torch.manual_seed(1)
    network = localization_network()
    kernel = network.blocks(network.contracting)[1].first.weight.detach()
    assert float(kernel.std()) == pytest.approx(math.sqrt(2 / (32 * 27)), rel=0.05)
    network = localization_network()
    biases = [layer.bias for layer in network.modules() if isinstance(layer, nn.Conv3d)]
    assert all(bias is not None and float(bias.detach().abs().max()) == 0 for bias in biases)


def test_a_standardized_start_sees_the_input_divided() -> None:
    torch.manual_seed(2)
    network = localization_network().eval()
    image = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        expected = network(image / 0.1) * 0.1
        standardize_input(network, 0.1)
        np.testing.assert_allclose(network(image), expected, rtol=1e-3, atol=1e-4)
