"""Read a bundle's networks with OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..bundle import Bundle
from ..user_cache import cache_folder
from .network_form import check_form
from .openvino_network import OpenVinoNetwork, explained
from .openvino_start import read_onnx

_HINTS = {"fp32": "f32", "bf16": "bf16"}


def load_with_openvino(bundle: Bundle, name: str, precision: str, threads: int) -> OpenVinoNetwork:
    """Read the network `name` of `bundle`; the smaller one is compiled here, the other for each size.

    Raises BundleError if OpenVINO cannot read or compile it, or if it takes or gives something else.
    """
    file = bundle.file(name)
    with explained(file):
        graph = read_onnx(bundle.content(name))  # whose bytes are freed at once
    check_form(graph, name, bundle)
    config: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
    }
    if threads:
        config["INFERENCE_NUM_THREADS"] = threads
    # Nobody signs compiled networks, so with trusted keys they are compiled each time.
    cache = None if bundle.trusted else network_cache(bundle, name)
    return OpenVinoNetwork(graph, file, config, cache, by_size=name == "segmentation")


def network_cache(bundle: Bundle, name: str) -> Path | None:
    """The folder for what is made once of the network `name`. None if no cache is writable."""
    # OpenVINO tells files apart by path and time alone, so the folder is named after the file's content.
    cache = cache_folder()
    return cache and cache / getattr(bundle.manifest.networks, name).sha256[:16]
