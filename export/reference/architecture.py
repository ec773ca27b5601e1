"""Sizes of the two networks, and the order of their arrays in a released checkpoint (no TensorFlow here)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from efficientscn_trt.bundle.core_form import unet_layers

LABELS = 5
"""Of the released segmentation network: background, liver, kidneys, spleen, pancreas."""

SPATIAL_STRIDE = 4
"""The inputs of the spatial networks are average-pooled by this factor (docs/reference-pipeline.md)."""

LEAKY_SLOPE = 0.1
"""Negative slope of every LeakyReLU (paper, section 4.2)."""


@dataclass(frozen=True)
class UNetArchitecture:
    """One U-Net: ``levels`` contracting and as many expanding blocks of two 3×3×3 convolutions each.

    Average pooling connects the contracting blocks. Linear upsampling and the concatenation [skip, upsampled]
    connect the expanding blocks. The last layer is a linear 1×1×1 convolution (paper, section 4.2).
    """

    levels: int
    filters: int
    inputs: int
    outputs: int
    slope: float = LEAKY_SLOPE

    def array_shapes(self) -> list[tuple[int, ...]]:
        """Shapes in checkpoint order, kernels as (z, y, x, in, out), each kernel before its bias.

        The order is: contracting blocks from the top level down, expanding blocks from the top level down,
        last convolution.
        """
        shapes: list[tuple[int, ...]] = []
        for outputs, inputs, taps in unet_layers(self.levels, self.filters, self.inputs, self.outputs):
            shapes += [(taps, taps, taps, inputs, outputs), (outputs,)]
        return shapes


LOCALIZATION = UNetArchitecture(levels=5, filters=32, inputs=1, outputs=2)


@dataclass(frozen=True)
class ScnArchitecture:
    """The U-Nets of a segmentation network, and how they are joined. The defaults are the released ones.

    `labels` counts the background, label 0, which has a channel only with `background`. `stride`: by this
    factor the inputs of the spatial networks are pooled. They see the local predictions of the other labels:
    with `softmax` those of a softmax, else of sigmoids; `sees_background`: the background's, too, if it has a
    channel; `sees_image`: and the image. `slope`: of the activations below zero; 0 is ReLU.
    """

    labels: int = LABELS
    levels: int = 5
    filters: int = 32
    spatial_levels: int = 4
    spatial_filters: int = 16
    stride: int = SPATIAL_STRIDE
    slope: float = LEAKY_SLOPE
    softmax: bool = False
    sees_image: bool = True
    sees_background: bool = False
    background: bool = True

    @property
    def channels(self) -> tuple[int, ...]:
        """The labels that have a channel, in the order of the channels."""
        return tuple(range(not self.background, self.labels))

    @property
    def local(self) -> UNetArchitecture:
        """The local U-Net: the image in, a logit of each label out."""
        return UNetArchitecture(self.levels, self.filters, 1, len(self.channels), self.slope)

    @property
    def order(self) -> tuple[int, ...]:
        """Label of each spatial U-Net, in checkpoint order.

        The last one is the background's, unless the spatial networks see the background.
        """
        if self.sees_background or not self.background:
            return self.channels
        background, *others = self.channels
        return (*others, background)

    def others(self, label: int) -> list[int]:
        """Labels whose local predictions the spatial U-Net of `label` sees, in channel order."""
        seen = self.channels if self.sees_background else range(1, self.labels)
        return [other for other in seen if other != label]

    def spatial(self, label: int) -> UNetArchitecture:
        """The spatial U-Net of one label: the image, if seen, and the other labels in, one logit out."""
        inputs = self.sees_image + len(self.others(label))
        return UNetArchitecture(self.spatial_levels, self.spatial_filters, inputs, 1, self.slope)


RELEASED = ScnArchitecture()
_LOCAL_BIAS = f"local_appearance/variables/{len(RELEASED.local.array_shapes()) - 1}"

NETWORKS = ("localization", "segmentation")


def checkpoint_shapes(network: str, scn: ScnArchitecture = RELEASED) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array of ``localization`` or ``segmentation``, in checkpoint order.

    `scn`: the architecture of the segmentation network.

    Raises:
        ValueError: `network` is neither.
    """
    if network == "localization":
        return {f"variables/{i}": shape for i, shape in enumerate(LOCALIZATION.array_shapes())}
    if network != "segmentation":
        raise ValueError(f"no network is called {network!r}; expected one of {', '.join(NETWORKS)}")
    shapes = {f"local_appearance/variables/{i}": shape for i, shape in enumerate(scn.local.array_shapes())}
    spatial = [shape for label in scn.order for shape in scn.spatial(label).array_shapes()]
    shapes |= {f"spatial_configuration/variables/{i}": shape for i, shape in enumerate(spatial)}
    return shapes


def parameter_count(network: str, scn: ScnArchitecture = RELEASED) -> int:
    """Trainable parameters: 637,474 for ``localization``, 1,270,090 for ``segmentation`` (paper, 2.2)."""
    return sum(math.prod(shape) for shape in checkpoint_shapes(network, scn).values())


def released_form(weights: Mapping[str, np.ndarray]) -> ScnArchitecture:
    """The released architecture, but with as many labels as these arrays have local logits."""
    bias = weights.get(_LOCAL_BIAS)
    if bias is None or bias.ndim != 1 or len(bias) < 2:
        return RELEASED
    return ScnArchitecture(len(bias))
