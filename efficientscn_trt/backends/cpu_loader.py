"""Read a bundle's networks for the CPU, each in its form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import _core
from ..bundle import Bundle
from ..triples import Size
from ..user_cache import cache_folder
from .cpu_networks import Network, Scn, UNetFirst, WholeNetwork
from .network_form import check_form
from .openvino_network import OpenVinoNetwork, explained
from .openvino_start import ov, read_onnx
from .scn_graph import MULTIPLES, find_spatial
from .unet_graph import find_unet, without_unet

_HINTS = {"fp32": "f32", "bf16": "bf16"}


class Loader:
    """Reads the networks of a bundle."""

    def __init__(self, bundle: Bundle, precision: str, threads: int) -> None:
        self._bundle, self._threads = bundle, threads
        self._by_core = precision == "fp32"
        self._config: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
        }
        if threads:
            self._config["INFERENCE_NUM_THREADS"] = threads

    def load(self, name: str) -> Network:
        """Read the network `name`, and compile the parts that need compiling only once.

        The others are compiled for each size, when they run.

        Raises BundleError if OpenVINO cannot read or compile them, or if they are networks of another form.
        """
        file = self._bundle.file(name)
        with explained(file):
            graph = read_onnx(file)
        check_form(graph, name, self._bundle)

        def rest(graph: ov.Model, by_size: bool = name == "segmentation") -> OpenVinoNetwork:
            return OpenVinoNetwork(graph, file, self._config, network_cache(self._bundle, name), by_size)

        found = find_unet(graph) if self._by_core else None
        if found is None or not self._sizes_are(name, (found.multiple,) * 3):
            return WholeNetwork(rest(graph))
        unet = _core.UNet(found.contracting, found.expanding, found.head, found.slope)
        spatial = find_spatial(graph, found) if self._sizes_are(name, MULTIPLES) else None
        if spatial is not None:
            return Scn(unet, rest(spatial, by_size=False), self._threads)  # takes little memory at any size
        return UNetFirst(unet, rest(without_unet(graph, found)), self._threads)

    def _sizes_are(self, name: str, multiples: Size) -> bool:
        valid = getattr(self._bundle.manifest.pipeline, name).valid_sizes
        return all(
            size % multiple == 0 for sizes, multiple in zip(valid, multiples, strict=True) for size in sizes
        )


def network_cache(bundle: Bundle, name: str) -> Path | None:
    """The folder for what is made once of the network `name`. None if no cache is writable."""
    # OpenVINO tells files apart by path and time alone, so the folder is named after the file's content.
    cache = cache_folder()
    return cache and cache / getattr(bundle.manifest.networks, name).sha256[:16]
