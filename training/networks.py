"""The two networks of the released code, in PyTorch, for training where TensorFlow is slow.

Tensors are float32 (batch, channel, z, y, x). Every output equals that of the TensorFlow reference model (a
test compares them). Source: the paper, section 4.2 for the architecture, and section 2.2 for how the SCN
joins its two halves.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAKY_SLOPE = 0.1
SPATIAL_FACTOR = 4
ENTROPY_EPSILON = 1e-5


class ConvolutionBlock(nn.Module):
    """Two 3×3×3 convolutions with zero padding, each followed by LeakyReLU 0.1 and dropout."""

    def __init__(self, inputs: int, filters: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Conv3d(inputs, filters, 3, padding=1)
        self.second = nn.Conv3d(filters, filters, 3, padding=1)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        for convolution in (self.first, self.second):
            x = F.leaky_relu(_convolve(convolution, x), LEAKY_SLOPE, inplace=True)
            if self.training and self.dropout > 0.0:
                x = F.dropout(x, self.dropout)
        return x


def _convolve(convolution: nn.Conv3d, x: Tensor) -> Tensor:
    """Apply `convolution` to `x`; on a CPU, a small single volume is batched with an empty one.

    PyTorch uses oneDNN for float32 volumes only from batch 2 or 20,480 voxel rows on, and is ten times slower
    without it.
    """
    if x.device.type == "cpu" and x.shape[0] == 1 and x.shape[1] >= 16 and x[..., 0].numel() <= 20480:
        x = torch.cat([x, torch.zeros_like(x)]).to(memory_format=torch.channels_last_3d)
        return convolution(x)[:1]
    return convolution(x)


class UNet(nn.Module):
    """U-Net of `levels` contracting and as many expanding blocks; linear logits.

    Input (n, inputs, z, y, x), sizes multiples of 2**(levels - 1); output (n, outputs, z, y, x).
    """

    def __init__(self, inputs: int, outputs: int, levels: int, filters: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.contracting = nn.ModuleList(
            ConvolutionBlock(inputs if level == 0 else filters, filters, dropout) for level in range(levels)
        )
        self.expanding = nn.ModuleList(
            ConvolutionBlock(filters if level == levels - 1 else 2 * filters, filters, dropout)
            for level in range(levels)
        )
        self.head = nn.Conv3d(filters, outputs, 1)
        initialize(self)

    def blocks(self, side: nn.ModuleList) -> list[ConvolutionBlock]:
        """Blocks of one side, from the top level down."""
        return [block for block in side if isinstance(block, ConvolutionBlock)]

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, block in enumerate(self.contracting):
            x = block(x if level == 0 else F.avg_pool3d(x, 2))
            skips.append(x)
        for level in range(len(skips) - 1, -1, -1):
            if level < len(skips) - 1:
                x = torch.cat([skips[level], F.interpolate(x, scale_factor=2, mode="trilinear")], 1)
            x = self.expanding[level](x)
        # The 1×1×1 convolution as a product over channels, which keeps the channels-last layout.
        logits = F.linear(x.movedim(1, -1), self.head.weight.flatten(1), self.head.bias)
        return logits.movedim(-1, 1)


def initialize(module: nn.Module) -> None:
    """He normal initialization (fan in) of the 3×3×3 kernels, gain 1 for the 1×1×1 kernels, and zero biases
    (paper, Table 3).
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv3d):
            nn.init.kaiming_normal_(
                layer.weight, nonlinearity="linear" if layer.kernel_size == (1, 1, 1) else "relu"
            )
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def standardize_input(network: nn.Module, deviation: float) -> None:
    """Make a freshly initialized network start as if its input were divided by `deviation`.

    Organs differ by about 50 HU, which is 0.025 in an input from −1 to 1. Without this, the network spends
    its first thousands of steps on learning that scale.
    """
    first = network.local if isinstance(network, SpatialConfigurationNet) else network
    assert isinstance(first, UNet)
    with torch.no_grad():
        first.blocks(first.contracting)[0].first.weight /= deviation
        # This keeps the logits near zero, because a saturated generalized Dice loss has no gradient.
        first.head.weight *= deviation


class SegmentationOutput(NamedTuple):
    """The SCN's outputs, each (n, 5, z, y, x): probabilities, and the logits of its two halves."""

    probabilities: Tensor
    local_logits: Tensor
    spatial_logits: Tensor


def localization_network(dropout: float = 0.1) -> UNet:
    """M_loc: (n, 1, z, y, x) → two logits; sizes multiples of 16; 637,474 parameters."""
    return UNet(1, 2, levels=5, filters=32, dropout=dropout)


class SpatialConfigurationNet(nn.Module):
    """M_seg, the SCN: (n, 1, z, y, x) → `SegmentationOutput`; sizes multiples of 32; 1,270,090 parameters."""

    def __init__(self, labels: int = 5, dropout: float = 0.1) -> None:
        super().__init__()
        self.labels = labels
        self.local = UNet(1, labels, levels=5, filters=32, dropout=dropout)
        # One per label, in label order; label 0 sees all foreground labels, label k all but its own.
        self.spatial = nn.ModuleList(
            UNet(len(self.seen_by(label)) + 1, 1, levels=4, filters=16, dropout=dropout)
            for label in range(labels)
        )

    def spatial_networks(self) -> list[UNet]:
        """The spatial U-Nets in label order."""
        return [network for network in self.spatial if isinstance(network, UNet)]

    def seen_by(self, label: int) -> list[int]:
        """Foreground labels whose local predictions the spatial U-Net of `label` sees."""
        return [other for other in range(1, self.labels) if other != label]

    def forward(self, image: Tensor) -> SegmentationOutput:
        local_logits = self.local(image)
        local = torch.sigmoid(local_logits)
        small_image = F.avg_pool3d(image, SPATIAL_FACTOR)
        small_local = F.avg_pool3d(local, SPATIAL_FACTOR)
        small_logits = [
            network(torch.cat([small_image, small_local[:, self.seen_by(label)]], 1))
            for label, network in enumerate(self.spatial)
        ]
        spatial_logits = upsample_cubic(torch.cat(small_logits, 1), SPATIAL_FACTOR)
        return SegmentationOutput(combine(local, spatial_logits), local_logits, spatial_logits)


def combine(local: Tensor, spatial_logits: Tensor) -> Tensor:
    """p = l·h + s·(1 − h), normalised over labels, with h the binary entropy of s = σ(S) in bits."""
    spatial = torch.sigmoid(spatial_logits)
    # Entropy from logits: −s·log σ(S) − (1 − s)·log σ(−S), which is finite for any |S|.
    entropy = F.binary_cross_entropy_with_logits(spatial_logits, spatial, reduction="none") / torch.log(
        torch.tensor(2.0, dtype=spatial.dtype, device=spatial.device)
    )
    mixed = local * entropy + spatial * (1.0 - entropy)
    return mixed / (mixed.sum(1, keepdim=True) + ENTROPY_EPSILON)


def upsample_cubic(x: Tensor, factor: int) -> Tensor:
    """Cubic (A = −0.5) upsampling of the last three axes, half-pixel centres, edge voxels repeated."""
    for axis in (2, 3, 4):
        matrix = _cubic_matrix(x.shape[axis], factor).to(x)
        x = torch.movedim(torch.movedim(x, axis, -1) @ matrix.T, -1, axis)
    return x


def _cubic_matrix(size: int, factor: int) -> Tensor:
    position = (torch.arange(size * factor, dtype=torch.float64) + 0.5) / factor - 0.5
    first = torch.floor(position).long() - 1
    matrix = torch.zeros(size * factor, size, dtype=torch.float64)
    for tap in range(4):
        index = first + tap
        distance = (position - index).abs()
        weight = torch.where(
            distance <= 1,
            1.5 * distance**3 - 2.5 * distance**2 + 1,
            -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2,
        )
        matrix[torch.arange(size * factor), index.clamp(0, size - 1)] += weight
    # += is right although indices repeat at the edge, because each tap adds to one index per row.
    return matrix
