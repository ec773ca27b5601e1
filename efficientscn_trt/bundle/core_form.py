"""The form in which the core runs a network: its U-Nets, and where their weights lie in the float32 file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .decode import OPTIONAL

FILTERS = (16, 32, 48, 64)
"""The numbers of filters that the core supports."""

LEVELS = range(2, 17)
"""The numbers of levels that the core supports."""

MOST_INPUTS = 256

STRIDES = (2, 4, 8)
"""The sizes of the spatial networks' voxels that the core supports, in voxels of the image."""

_ROW_MULTIPLE = 16  # of an image along x, where the core combines the predictions


def unet_layers(levels: int, filters: int, inputs: int, outputs: int) -> list[tuple[int, int, int]]:
    """Outputs, inputs and taps along an axis of each layer of a U-Net (paper, section 4.2).

    First the contracting blocks from the top level down, then the expanding blocks from the top level down,
    then the last layer. An expanding block takes [skip, upsampled]; the lowest takes the result of the lowest
    contracting block.
    """
    lower = levels - 1
    firsts = [inputs, *[filters] * lower, *[2 * filters] * lower, filters]
    blocks = [(filters, channels, 3) for first in firsts for channels in (first, filters)]
    return [*blocks, (outputs, filters, 1)]


@dataclass(frozen=True)
class UNetForm:
    """A U-Net of the paper (section 4.2), as the core runs it.

    Each of its `levels` contracting and expanding blocks has two 3×3×3 convolutions to `filters` channels,
    with LeakyReLU of `slope`. The last layer is a 1×1×1 convolution. In the order of `layers`, `kernels` and
    `biases` say at which byte of the network's file the float32 values of each layer begin. A kernel
    [outputs, inputs, z, y, x] may lie in several parts of as many inputs each.
    """

    levels: int
    filters: int
    inputs: int
    outputs: int
    slope: float
    kernels: tuple[tuple[int, ...], ...]
    biases: tuple[int, ...]

    @property
    def layers(self) -> list[tuple[int, int, int]]:
        """See `unet_layers`."""
        return unet_layers(self.levels, self.filters, self.inputs, self.outputs)

    @property
    def multiple(self) -> int:
        """The size of an image along each axis must be a multiple of this."""
        return 1 << (self.levels - 1)


@dataclass(frozen=True)
class SpatialForm:
    """The spatial network of one channel, `label`. It takes the image, if `image` is true, and the local
    predictions of the channels `sees`, both pooled, and gives one logit.
    """

    label: int
    sees: tuple[int, ...]
    unet: UNetForm
    image: bool = field(default=True, metadata=OPTIONAL)


@dataclass(frozen=True)
class CoreForm:
    """A network as the core runs it.

    The localization network is `unet`, whose two logits are compared. The segmentation network is an SCN:
    `unet` gives the local logits, and `spatial` has a network of each channel. The voxels of these are
    `stride` times as large along each axis. They see the softmax of the local logits if `softmax`, else their
    sigmoids. If it has no channel of the `background`, that gets what the labels leave of 1. `sha256`: of the
    float32 file in which the weights lie.
    """

    sha256: str
    unet: UNetForm
    spatial: tuple[SpatialForm, ...]
    stride: int = field(default=4, metadata=OPTIONAL)
    softmax: bool = field(default=False, metadata=OPTIONAL)
    background: bool = field(default=True, metadata=OPTIONAL)

    @property
    def multiples(self) -> tuple[int, int, int]:
        """The size of an image along z, y and x must be a multiple of these."""
        if not self.spatial:
            return (self.unet.multiple,) * 3
        multiple = max(self.unet.multiple, *(self.stride * each.unet.multiple for each in self.spatial))
        return multiple, multiple, max(multiple, _ROW_MULTIPLE)

    def takes(self, sizes: Sequence[Sequence[int]]) -> bool:
        """Whether the core runs it on images of all these sizes along z, y and x."""
        pairs = zip(sizes, self.multiples, strict=True)
        return all(length % multiple == 0 for along, multiple in pairs for length in along)
