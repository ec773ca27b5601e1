"""The networks that the core runs, in float32, from weights in the bundle's files."""

from __future__ import annotations

from math import prod

import numpy as np

from .. import _core
from ..bundle import Bundle
from ..bundle.core_form import CoreForm, UNetForm
from ..errors import BundleError
from ..triples import Size
from .protocols import Network

_FLOAT = np.dtype("<f4")


def core_runs(form: CoreForm | None, bundle: Bundle, name: str) -> bool:
    """Whether the core runs the network `name` of `bundle`, of this form, at all its valid sizes."""
    return form is not None and form.takes(getattr(bundle.manifest.pipeline, name).valid_sizes)


def core_network(form: CoreForm, content: bytes, threads: int) -> Network:
    """The network of this form, whose weights lie in `content`, its file. Raises ValueError for others."""
    unet = _unet(form.unet, content)
    return Scn(unet, form, content, threads) if form.spatial else Localization(unet, threads)


def load_core_network(bundle: Bundle, name: str, form: CoreForm, threads: int) -> Network:
    """Read the network `name` of `bundle`. Raises BundleError."""
    content = bundle.content(name)
    try:
        return core_network(form, content, threads)
    except ValueError as error:
        raise BundleError(
            f"{bundle.file(name)} has no weights where the manifest says: {error}; export the bundle again."
        ) from error


class Localization:
    """A U-Net of two logits. The mask is true where the second is larger."""

    def __init__(self, unet: _core.UNet, threads: int) -> None:
        self._unet, self._threads = unet, threads

    def logits(self, image: np.ndarray) -> np.ndarray:
        """Both logits, float32 [2, z, y, x], of `image`, float32 [z, y, x]."""
        logits = np.empty((2, *image.shape), np.float32)
        self._unet.run(image[np.newaxis], logits, threads=self._threads)
        return logits

    @staticmethod
    def mask(logits: np.ndarray) -> np.ndarray:
        """The mask, bool [z, y, x], of `logits` [2, z, y, x]."""
        outside, inside = logits
        return np.less(outside, inside)

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """See `Network`."""
        output[0] = self.mask(self.logits(image))

    def bytes_for(self, size: Size) -> int:
        """See `Network`."""
        return self._unet.bytes_for(size, self._threads) + 2 * _FLOAT.itemsize * prod(size)

    def release(self) -> None:
        """See `Network`."""
        self._unet.release()


class Scn:
    """The SCN: local U-Net, spatial U-Nets and their combination (paper, section 2.2).

    The two predictions are combined in the memory of the output. The only full-resolution tensors are the
    local U-Net's skip and the output.
    """

    def __init__(self, local: _core.UNet, form: CoreForm, content: bytes, threads: int) -> None:
        self._local, self._threads = local, threads
        self._stride, self._softmax, self._background = form.stride, form.softmax, form.background
        self._spatial = [
            (each.label, [0] * each.image + [1 + label for label in each.sees], _unet(each.unet, content))
            for each in form.spatial
        ]

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """See `Network`."""
        values, background, channel = output[0], None, image[np.newaxis]
        if not self._background:
            background, values = values[:1], values[1:]
        self._local.run(channel, values, threads=self._threads)
        pooled = _core.pool_inputs(
            channel, values, stride=self._stride, softmax=self._softmax, threads=self._threads
        )
        spatial = np.empty_like(pooled[1:])
        for label, sees, unet in self._spatial:
            unet.run(pooled[sees], spatial[label : label + 1], threads=self._threads)
            unet.release()  # the next one takes the same memory
        _core.combine(values, spatial, stride=self._stride, background=background, threads=self._threads)

    def bytes_for(self, size: Size) -> int:
        """See `Network`."""
        small = tuple(length // self._stride for length in size)
        own = max(unet.bytes_for(small, self._threads) for _, _, unet in self._spatial)
        # The inputs of all spatial networks, those of one, and their logits
        tensors = 3 * (1 + self._local.outputs) * _FLOAT.itemsize * prod(small)
        return self._local.bytes_for(size, self._threads) + own + tensors

    def release(self) -> None:
        """See `Network`."""
        self._local.release()


def _unet(form: UNetForm, content: bytes) -> _core.UNet:
    layers = [
        (_kernel(content, shape, parts), np.frombuffer(content, _FLOAT, shape[0], bias))
        for shape, parts, bias in zip(form.layers, form.kernels, form.biases, strict=True)
    ]
    blocks = [layers[first : first + 2] for first in range(0, 4 * form.levels, 2)]
    return _core.UNet(blocks[: form.levels], blocks[form.levels :], layers[-1], form.slope)


def _kernel(content: bytes, shape: tuple[int, int, int], parts: tuple[int, ...]) -> np.ndarray:
    """A kernel float32 [outputs, inputs, z, y, x] from its parts, each of as many inputs."""
    outputs, inputs, taps = shape
    part = (outputs, inputs // len(parts), taps, taps, taps)
    found = [np.frombuffer(content, _FLOAT, prod(part), start).reshape(part) for start in parts]
    return found[0] if len(found) == 1 else np.concatenate(found, axis=1)
