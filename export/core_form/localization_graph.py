"""Find the parts of the localization network in its graph."""

from __future__ import annotations

import numpy as np

from efficientscn_trt.backends.openvino_start import ov

from .probe import computed_from
from .unet_graph import UNetGraph, find_unet

_PROBE_SIZE = (4, 4, 8)


def find_localization(network: ov.Model) -> UNetGraph | None:
    """Return the U-Net of `network` if the mask is true where its second logit is larger, else None.

    What follows the logits is recognized by its results on a small random input.
    """
    unet = find_unet(network.input(0))
    return unet if unet and unet.head[0].shape[0] == 2 and _compares_logits(network) else None


def _compares_logits(network: ov.Model) -> bool:
    tail = network.clone()
    unet = find_unet(tail.input(0))
    assert unet is not None
    # Whole numbers, so that many are equal.
    logits = np.random.default_rng(0).integers(-3, 4, (1, 2, *_PROBE_SIZE)).astype(np.float32)
    found = computed_from(tail, [(unet.logits, logits)])
    return found is not None and np.array_equal(found, logits[:, 0] < logits[:, 1])
