"""The forms in which a network runs on the CPU."""

from __future__ import annotations

from math import prod
from typing import Protocol

import numpy as np

from .. import _core
from ..triples import Size
from .openvino_network import OpenVinoNetwork
from .scn_graph import STRIDE

_FLOAT = 4  # bytes


class Network(Protocol):
    """A network of a bundle."""

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """Run on `image`, float32 [z, y, x], and write into `output`.

        `output` has the shape and type of the network's output, [1, ...].
        """
        ...

    def bytes_for(self, size: Size) -> int:
        """How much memory `run` takes for an image of `size` (z, y, x), beside the image and the output."""
        ...

    def release(self) -> None:
        """Free the buffers; the next run allocates them again."""
        ...


class WholeNetwork:
    """A network that OpenVINO runs entirely."""

    def __init__(self, graph: OpenVinoNetwork) -> None:
        self._graph = graph

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """See `Network`."""
        self._graph.run([image[np.newaxis, np.newaxis]], output)

    def bytes_for(self, size: Size) -> int:
        """See `Network`."""
        return self._graph.bytes_for([(1, 1, *size)])

    def release(self) -> None:
        """See `Network`."""
        self._graph.release()


class UNetFirst:
    """A U-Net that the core runs, then a graph that OpenVINO runs on the image and the logits."""

    def __init__(self, unet: _core.UNet, rest: OpenVinoNetwork, threads: int) -> None:
        self._unet, self._rest, self._threads = unet, rest, threads

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """See `Network`."""
        logits = np.empty((1, self._unet.outputs, *image.shape), np.float32)
        self._unet.run(image, logits[0], threads=self._threads)
        self._rest.run([image[np.newaxis, np.newaxis], logits], output)

    def bytes_for(self, size: Size) -> int:
        """See `Network`."""
        outputs = self._unet.outputs
        rest = self._rest.bytes_for([(1, 1, *size), (1, outputs, *size)])
        return self._unet.bytes_for(size, self._threads) + _FLOAT * outputs * prod(size) + rest

    def release(self) -> None:
        """See `Network`."""
        self._unet.release()
        self._rest.release()


class Scn:
    """The SCN, of which OpenVINO runs only the spatial networks.

    The core runs the local U-Net, and combines the two predictions in the memory of the output. The only
    full-resolution tensors are the U-Net's skip and the output.
    """

    def __init__(self, unet: _core.UNet, spatial: OpenVinoNetwork, threads: int) -> None:
        self._unet, self._spatial, self._threads = unet, spatial, threads

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """See `Network`."""
        values = output[0]
        self._unet.run(image, values, threads=self._threads)
        pooled = _core.pool_sigmoids(values, threads=self._threads)[np.newaxis]
        spatial = np.empty_like(pooled)
        self._spatial.run([image[np.newaxis, np.newaxis], pooled], spatial)
        _core.combine(values, spatial[0], threads=self._threads)

    def bytes_for(self, size: Size) -> int:
        """See `Network`."""
        # The spatial networks take about a hundredth of the U-Net's memory, and to reshape them takes time.
        spatial = 2 * _FLOAT * self._unet.outputs * prod(size) // STRIDE**3
        return self._unet.bytes_for(size, self._threads) + spatial

    def release(self) -> None:
        """See `Network`."""
        self._unet.release()
        self._spatial.release()
