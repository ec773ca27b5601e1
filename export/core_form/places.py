"""Where the weights of a U-Net lie in the file of its network."""

from __future__ import annotations

import numpy as np

from efficientscn_trt.bundle.core_form import UNetForm

from .other_form import OtherForm
from .unet_graph import UNetGraph


def form_of(unet: UNetGraph, content: bytes) -> UNetForm:
    """The form of `unet`, whose file holds `content`.

    The values are searched for, so they are right however the file came to hold them. Raises OtherForm if a
    weight is not in the file as float32 values.
    """
    kernels, biases = [], []
    for kernel, bias in unet.layers:
        kernels.append(_whole_or_halves(kernel, content))
        biases.append(_place(bias, content))
    if not all(kernels) or -1 in biases:
        raise OtherForm("some of its weights are not in its file as float32 values")
    filters, inputs = unet.contracting[0][0][0].shape[:2]
    return UNetForm(
        levels=len(unet.contracting),
        filters=filters,
        inputs=inputs,
        outputs=unet.head[0].shape[0],
        slope=unet.slope,
        kernels=tuple(kernels),
        biases=tuple(biases),
    )


def _whole_or_halves(kernel: np.ndarray, content: bytes) -> tuple[int, ...]:
    """The places of a kernel, or of its halves for the skip and for the upsampled tensor; none if unknown."""
    for parts in (1, 2):
        if kernel.shape[1] % parts == 0:
            places = tuple(_place(part, content) for part in np.split(kernel, parts, axis=1))
            if -1 not in places:
                return places
    return ()


def _place(values: np.ndarray, content: bytes) -> int:
    return content.find(np.ascontiguousarray(values, "<f4").tobytes())
