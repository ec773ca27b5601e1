"""Weights of the PyTorch twins as arrays in the released checkpoint order (kernels DHWIO), and back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .networks import SpatialConfigurationNet, UNet


def _convolutions(network: UNet) -> Iterator[nn.Conv3d]:
    """Contracting blocks from the top level down, expanding blocks from the top level down, then the 1×1×1 convolution."""
    for block in [*network.contracting, *network.expanding]:
        yield from block.convolutions
    yield network.head


def _named_parameters(network: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    if isinstance(network, SpatialConfigurationNet):
        # Spatial U-Net u serves label (u + 1) mod 5: label 0 has the last one.
        labels = network.labels
        spatial = [network.spatial[(u + 1) % labels] for u in range(labels)]
        groups = [("local_appearance/", [network.local]), ("spatial_configuration/", spatial)]
    elif isinstance(network, UNet):
        groups = [("", [network])]
    else:
        raise TypeError(f"a UNet or a SpatialConfigurationNet is expected, not {type(network).__name__}")
    for prefix, networks in groups:
        parameters = [p for unet in networks for layer in _convolutions(unet) for p in (layer.weight, layer.bias)]
        for index, parameter in enumerate(parameters):
            yield f"{prefix}variables/{index}", parameter


def to_arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """Weights as float32 arrays keyed by checkpoint name: 42 for the localization U-Net, 212 for the SCN."""
    arrays = {}
    for key, parameter in _named_parameters(network):
        value = parameter.detach().float().cpu().numpy()
        arrays[key] = np.ascontiguousarray(value.transpose(2, 3, 4, 1, 0) if value.ndim == 5 else value)
    return arrays


def from_arrays(network: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Load arrays keyed by checkpoint name into `network`.

    Raises ValueError where keys or shapes are not the network's.
    """
    expected = dict(_named_parameters(network))
    missing, unknown = expected.keys() - arrays.keys(), arrays.keys() - expected.keys()
    if missing or unknown:
        raise ValueError(
            f"the weights hold {len(arrays)} arrays but the network needs {len(expected)} "
            f"(missing: {sorted(missing)[:3]}, unknown: {sorted(unknown)[:3]})"
        )
    with torch.no_grad():
        for key, parameter in expected.items():
            value = torch.from_numpy(np.array(arrays[key], dtype=np.float32))
            if value.ndim == 5:
                value = value.permute(4, 3, 0, 1, 2)
            if value.shape != parameter.shape:
                raise ValueError(f"{key} has shape {tuple(value.shape)}, the network needs {tuple(parameter.shape)}")
            parameter.copy_(value)


def save(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write the weights to an .npz file, atomically."""
    path = Path(path)
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        np.savez(file, **to_arrays(network))  # type: ignore[arg-type]
    os.replace(temporary, path)


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read the weights from an .npz file that `save` (or an export of the released checkpoint) wrote."""
    with np.load(path) as arrays:
        from_arrays(network, {key: arrays[key] for key in arrays.files})
