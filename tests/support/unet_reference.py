"""A U-Net in NumPy, float64, with seeded weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Layer = tuple[np.ndarray, np.ndarray]
SLOPE = 0.1


@dataclass
class UNetReference:
    """Kernels [output, input, z, y, x] and biases of blocks of two convolutions, the top level first."""

    contracting: list[list[Layer]]
    expanding: list[list[Layer]]
    head: Layer

    @classmethod
    def seeded(cls, levels: int, filters: int, outputs: int, seed: int = 0, inputs: int = 1) -> UNetReference:
        generator = np.random.default_rng(seed)

        def layer(outputs: int, inputs: int, size: int = 3) -> Layer:
            kernel = generator.standard_normal((outputs, inputs, size, size, size))
            kernel *= np.sqrt(2 / kernel[0].size)
            return kernel.astype(np.float32), generator.normal(0, 0.1, outputs).astype(np.float32)

        def block(inputs: int) -> list[Layer]:
            return [layer(filters, inputs), layer(filters, filters)]

        contracting = [block(filters if level else inputs) for level in range(levels)]
        expanding = [block(2 * filters) for _ in range(levels - 1)] + [block(filters)]
        return cls(contracting, expanding, layer(outputs, filters, 1))

    def logits(self, image: np.ndarray) -> np.ndarray:
        """[output, z, y, x] of an image [input, z, y, x]."""
        value, skips = image.astype(np.float64), []
        for level, block in enumerate(self.contracting):
            value = _block(_halved(value) if level else value, block)
            skips.append(value)
        value = _block(skips.pop(), self.expanding[-1])
        for skip, block in zip(reversed(skips), reversed(self.expanding[:-1]), strict=True):
            value = _block(np.concatenate([skip, _doubled(value)]), block)
        return _convolved(value, self.head)


def _block(value: np.ndarray, layers: list[Layer]) -> np.ndarray:
    for layer in layers:
        value = _convolved(value, layer)
        value = np.where(value > 0, value, SLOPE * value)
    return value


def _convolved(value: np.ndarray, layer: Layer) -> np.ndarray:
    kernel, bias = (array.astype(np.float64) for array in layer)
    edge = kernel.shape[2] // 2
    padded = np.pad(value, [(0, 0)] + [(edge, edge)] * 3)
    result = np.zeros((len(bias), *value.shape[1:])) + bias[:, None, None, None]
    for z, y, x in np.ndindex(kernel.shape[2:]):
        part = padded[:, z:, y:, x:][:, : value.shape[1], : value.shape[2], : value.shape[3]]
        result += np.einsum("oi,izyx->ozyx", kernel[:, :, z, y, x], part, optimize=True)
    return result


def _halved(value: np.ndarray) -> np.ndarray:
    channels, z, y, x = value.shape
    return value.reshape(channels, z // 2, 2, y // 2, 2, x // 2, 2).mean(axis=(2, 4, 6))


def _doubled(value: np.ndarray) -> np.ndarray:
    """Upsample by two: linear, half-pixel, the edge repeated."""
    for axis in (1, 2, 3):
        size = value.shape[axis]
        position = (np.arange(2 * size) + 0.5) / 2 - 0.5
        low = np.floor(position).astype(int)
        share = (position - low).reshape([-1 if i == axis else 1 for i in range(4)])
        below, above = (value.take((low + i).clip(0, size - 1), axis) for i in (0, 1))
        value = below * (1 - share) + above * share
    return value
