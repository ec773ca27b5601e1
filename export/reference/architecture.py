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
    """The U-Nets of a segmentation network. `labels` counts the background, which is label 0."""

    labels: int = LABELS

    @property
    def local(self) -> UNetArchitecture:
        """The local U-Net: the image in, a logit of each label out."""
        return UNetArchitecture(levels=5, filters=32, inputs=1, outputs=self.labels)

    @property
    def order(self) -> tuple[int, ...]:
        """Label of each spatial U-Net, in checkpoint order; the last one is the background's."""
        return tuple((unet + 1) % self.labels for unet in range(self.labels))

    def others(self, label: int) -> list[int]:
        """Foreground labels whose local predictions the spatial U-Net of `label` sees, in channel order."""
        return [other for other in range(1, self.labels) if other != label]

    def spatial(self, label: int) -> UNetArchitecture:
        """The spatial U-Net of one label: the image and the other labels in, one logit out."""
        return UNetArchitecture(levels=4, filters=16, inputs=1 + len(self.others(label)), outputs=1)


_LOCAL_BIAS = f"local_appearance/variables/{len(ScnArchitecture().local.array_shapes()) - 1}"

NETWORKS = ("localization", "segmentation")


def checkpoint_shapes(network: str, labels: int = LABELS) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array of ``localization`` or ``segmentation``, in checkpoint order.

    `labels`: of the segmentation network, with the background.

    Raises:
        ValueError: `network` is neither.
    """
    if network == "localization":
        return {f"variables/{i}": shape for i, shape in enumerate(LOCALIZATION.array_shapes())}
    if network != "segmentation":
        raise ValueError(f"no network is called {network!r}; expected one of {', '.join(NETWORKS)}")
    scn = ScnArchitecture(labels)
    shapes = {f"local_appearance/variables/{i}": shape for i, shape in enumerate(scn.local.array_shapes())}
    spatial = [shape for label in scn.order for shape in scn.spatial(label).array_shapes()]
    shapes |= {f"spatial_configuration/variables/{i}": shape for i, shape in enumerate(spatial)}
    return shapes


def parameter_count(network: str, labels: int = LABELS) -> int:
    """Trainable parameters: 637,474 for ``localization``, 1,270,090 for ``segmentation`` (paper, 2.2)."""
    return sum(math.prod(shape) for shape in checkpoint_shapes(network, labels).values())


def label_count(weights: Mapping[str, np.ndarray]) -> int:
    """How many labels the segmentation network with these arrays has: one per bias of its local logits."""
    bias = weights.get(_LOCAL_BIAS)
    return len(bias) if bias is not None and bias.ndim == 1 and len(bias) > 1 else LABELS
