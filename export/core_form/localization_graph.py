"""Find the parts of the localization network in its graph."""

from __future__ import annotations

import numpy as np

from efficientscn_trt.backends.openvino_start import ov

from .other_form import NO_UNET, OtherForm
from .probe import computed_from
from .unet_graph import UNetGraph, find_unet

_PROBE_SIZE = (4, 4, 8)


def find_localization(network: ov.Model) -> UNetGraph:
    """Return the U-Net of `network`, whose mask is true where its second logit is larger.

    What follows the logits is recognized by its results on a small random input. Raises OtherForm.
    """
    unet = find_unet(network.input(0))
    if unet is None:
        raise OtherForm(NO_UNET)
    outputs = unet.head[0].shape[0]
    if outputs != 2:
        raise OtherForm(f"its U-Net gives {outputs} logits, expected 2")
    if not _compares_logits(network):
        raise OtherForm("its mask is not true where the second logit is larger")
    return unet


def _compares_logits(network: ov.Model) -> bool:
    tail = network.clone()
    unet = find_unet(tail.input(0))
    assert unet is not None
    # Whole numbers, so that many are equal.
    logits = np.random.default_rng(0).integers(-3, 4, (1, 2, *_PROBE_SIZE)).astype(np.float32)
    found = computed_from(tail, [(unet.logits, logits)])
    return found is not None and np.array_equal(found, logits[:, 0] < logits[:, 1])
