"""Recognise the networks that the core can run, and say so in a bundle's manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from efficientscn_trt.backends.core_networks import Localization, core_network
from efficientscn_trt.backends.openvino_start import read_onnx
from efficientscn_trt.bundle.core_form import CoreForm, SpatialForm

from .localization_graph import find_localization
from .other_form import OtherForm
from .places import form_of
from .scn_graph import find_scn

__all__ = ["OtherForm", "core_outputs", "find_core_form"]


def find_core_form(file: Path, role: str) -> CoreForm:
    """The form in which the core runs the network `role` in the float32 ONNX file.

    `role`: "localization" or "segmentation". Raises OtherForm if the core cannot run it, and
    `openvino_start.FAILURES` if OpenVINO cannot read it.
    """
    content = file.read_bytes()
    network = read_onnx(content)
    sha256 = hashlib.sha256(content).hexdigest()
    if role == "localization":
        return CoreForm(sha256, form_of(find_localization(network), content), ())
    scn = find_scn(network)
    spatial = (
        SpatialForm(each.label, each.sees, form_of(each.unet, content), each.image) for each in scn.spatial
    )
    return CoreForm(
        sha256, form_of(scn.local, content), tuple(spatial), scn.stride, scn.softmax, scn.background
    )


def core_outputs(form: CoreForm, content: bytes, image: np.ndarray) -> dict[str, np.ndarray]:
    """What the core computes for `image` float32 [1, 1, z, y, x]; `content` is that of the network's file.

    Probabilities, or a mask and its logits.
    """
    network = core_network(form, content, threads=0)
    if isinstance(network, Localization):
        logits = network.logits(image[0, 0])
        return {"mask": network.mask(logits)[np.newaxis], "logits": logits[np.newaxis]}
    labels = form.unet.outputs + (not form.background)
    probabilities = np.empty((1, labels, *image.shape[2:]), np.float32)
    network.run(image[0, 0], probabilities)
    return {"probabilities": probabilities}
