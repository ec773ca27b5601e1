"""The process that the runtime starts for a bundle whose manifest does not say the core's forms."""

from __future__ import annotations

import dataclasses
import json
import pickle
import sys

import numpy as np

from efficientscn_trt.backends.child_process import end_with_caller, leave_no_core, take_stdout
from efficientscn_trt.backends.core_networks import core_runs
from efficientscn_trt.backends.openvino_loader import load_with_openvino
from efficientscn_trt.bundle import NETWORKS, Bundle
from efficientscn_trt.bundle.core_form import CoreForm

from . import OtherForm, core_outputs, find_core_form

LIMIT = 1e-4
"""The largest difference of a probability, and the largest share of other voxels of a mask."""


def main() -> None:
    """Read a `Bundle` from stdin, and write its forms by network on stdout, as JSON."""
    end_with_caller()
    leave_no_core()
    answer = take_stdout()
    bundle: Bundle = pickle.load(sys.stdin.buffer)
    found = {name: form for name in NETWORKS if (form := search(bundle, name)) is not None}
    json.dump({name: dataclasses.asdict(form) for name, form in found.items()}, answer)
    answer.flush()


def search(bundle: Bundle, name: str) -> CoreForm | None:
    """The form of a network; None if the core and OpenVINO do not compute the same on a random image."""
    try:
        form = find_core_form(bundle.file(name), name)
    except OtherForm:
        return None
    return form if core_runs(form, bundle, name) and _agrees(form, bundle, name) else None


def _agrees(form: CoreForm, bundle: Bundle, name: str) -> bool:
    valid_sizes = getattr(bundle.manifest.pipeline, name).valid_sizes
    size = tuple(map(min, valid_sizes))
    image = np.random.default_rng(0).uniform(-1, 1, size).astype(np.float32)
    found = core_outputs(form, bundle.file(name).read_bytes(), image[np.newaxis, np.newaxis])
    values = found["mask" if name == "localization" else "probabilities"]
    expected = np.empty_like(values)
    load_with_openvino(bundle, name, "fp32", 0).run(image, expected)
    if name == "localization":
        return bool(np.mean(values != expected) <= LIMIT)
    return bool(np.abs(values - expected).max() <= LIMIT)
