"""Weights of the PyTorch networks as arrays in the released checkpoint order (kernels DHWIO), and back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from efficientscn_trt.errors import InputError
from efficientscn_trt.io.atomic import replacing

from .networks import SpatialConfigurationNet, UNet


def _convolutions(network: UNet) -> Iterator[nn.Conv3d]:
    """Contracting blocks from the top level down, expanding blocks from the top level down, then the 1×1×1
    convolution.
    """
    for block in (*network.blocks(network.contracting), *network.blocks(network.expanding)):
        yield block.first
        yield block.second
    yield network.head


def _named_parameters(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    if isinstance(network, SpatialConfigurationNet):
        # Spatial U-Net u is for label (u + 1) mod 5, so the last one is for label 0.
        background, *organs = network.spatial_networks()
        groups = [("local_appearance/", [network.local]), ("spatial_configuration/", [*organs, background])]
    elif isinstance(network, UNet):
        groups = [("", [network])]
    else:
        raise TypeError(f"a UNet or a SpatialConfigurationNet is expected, not {type(network).__name__}")
    for prefix, networks in groups:
        layers = [layer for unet in networks for layer in _convolutions(unet)]
        for index, layer in enumerate(layers):
            assert layer.bias is not None
            yield f"{prefix}variables/{2 * index}", layer.weight
            yield f"{prefix}variables/{2 * index + 1}", layer.bias


def to_arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """Weights as float32 arrays keyed by checkpoint name: 42 for the localization U-Net, 212 for the SCN."""
    arrays = {}
    for key, parameter in _named_parameters(network):
        value = parameter.detach().float().cpu().numpy()
        arrays[key] = np.ascontiguousarray(value.transpose(2, 3, 4, 1, 0) if value.ndim == 5 else value)
    return arrays


def from_arrays(network: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Load arrays keyed by checkpoint name into `network`.

    Raises InputError if names or shapes are not the network's.
    """
    expected = dict(_named_parameters(network))
    missing, unknown = sorted(expected.keys() - arrays.keys()), sorted(arrays.keys() - expected.keys())
    if missing or unknown:
        difference = f"{missing[0]} is missing" if missing else f"{unknown[0]} is not one of them"
        raise InputError(
            f"The weights have {len(arrays)} arrays, expected the network's {len(expected)}: {difference}. "
            "Give weights that were trained for this network."
        )
    with torch.no_grad():
        for key, parameter in expected.items():
            value = torch.from_numpy(np.array(arrays[key], dtype=np.float32))
            if value.ndim == 5:
                value = value.permute(4, 3, 0, 1, 2)
            if value.shape != parameter.shape:
                raise InputError(
                    f"Array {key} of the weights has the shape {arrays[key].shape}, expected "
                    f"{to_arrays(network)[key].shape}. Give weights that were trained for this network."
                )
            parameter.copy_(value)


def save(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write the weights to an .npz file, atomically."""
    with replacing(Path(path)) as temporary, open(temporary, "wb") as file:
        np.savez(file, **to_arrays(network))  # type: ignore[arg-type]


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read the weights from an .npz file in the released checkpoint order. Raises InputError."""
    try:
        with np.load(path) as file:
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is not a file of weights (.npz): {error}.") from error
    from_arrays(network, arrays)
