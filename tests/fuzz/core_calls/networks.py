"""The networks, their weights and the combination of their predictions."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import numpy as np
from support import scn_reference
from support.unet_reference import SLOPE, UNetReference

from efficientscn_trt import _core
from fuzz.choices import Choices
from fuzz.core_calls.outcomes import LARGE, accepted, result_of


def logits(choices: Choices, labels: int, size: tuple[int, ...]) -> Any:
    """Float32, mostly of this shape and in order."""
    if choices.once_in(6):
        return choices.array([labels, *size], ("<f4",))
    generator = np.random.default_rng(choices.whole(0, 0xFFFF))
    scale = choices.of([1.0, 0.01, 5.0, 50.0, 1e4, 1e38])
    return (generator.standard_normal((labels, *size)) * scale).astype(np.float32)


def combination(choices: Choices) -> None:
    labels = choices.of([2, 1, 5])
    small = (choices.of([1, 2, 3]), choices.of([1, 2, 3]), choices.of([4, 8, 1, 2, 12]))
    stride, softmax = choices.of([4, 2, 8]), choices.of([False, True])
    size = tuple(stride * n for n in small)
    if choices.once_in(16):
        stride = choices.of([0, 1, -2, 3, 16, 1 << 62])
    local, spatial = logits(choices, labels, size), logits(choices, labels, small)
    threads = choices.threads()
    image = choices.array([1, *size], ("<f4",)) if choices.once_in(6) else np.full((1, *size), 0.5, "f4")
    pooled = result_of(
        lambda: _core.pool_inputs(image, local, stride=stride, softmax=softmax, threads=threads)
    )
    if pooled is not None:
        predicted = scn_reference.softmax if softmax else scn_reference.sigmoid
        expected = scn_reference.pooled_inputs(np.array(image), np.array(local), stride, predicted)
        error = 5e-7 * max(1, np.abs(expected[0]).max())
        np.testing.assert_allclose(pooled, expected, rtol=0, atol=error)
    before, background = np.array(local), None
    if choices.once_in(3):
        background = np.zeros((1, *size), "f4")
        if choices.once_in(4):
            background = choices.array([1, *size], ("<f4",))
    if not accepted(
        lambda: _core.combine(local, spatial, stride=stride, background=background, threads=threads)
    ):
        return
    if np.isfinite(before).all() and np.abs(spatial).max() < LARGE:
        total = np.asarray(local, np.float64).sum(axis=0)
        if background is not None:
            assert np.min(background) >= 0
            total += background[0]
        assert np.min(local) >= 0 and total.max() < 1 + 1e-5
        scale = max(np.abs(before).max(), np.abs(spatial).max(), 1)
        if scale < 300:
            p = scn_reference.combined(before, np.array(spatial), stride)
            sums = p.sum(axis=0)
            sums = (sums if background is None else np.maximum(sums, 1)) + 1e-5
            assert (np.abs(local - p / sums) * sums).max() < 5e-7 * scale


_weights = cache(UNetReference.seeded)


@cache
def _network(levels: int, filters: int, inputs: int, outputs: int) -> tuple[UNetReference, _core.UNet]:
    weights = _weights(levels, filters, outputs, inputs=inputs)
    return weights, _core.UNet(weights.contracting, weights.expanding, weights.head, SLOPE)


def unet(choices: Choices) -> None:
    forms = [(2, 16, 1, 1), (2, 16, 5, 18), (2, 32, 1, 5), (3, 16, 2, 2)]
    levels, filters, inputs, outputs = choices.of(forms)
    size = tuple(choices.whole(1, 2) << (levels - 1) for _ in range(3))
    if choices.once_in(8):
        size = choices.size(200)
    weights, network = _network(levels, filters, inputs, outputs)
    assert (network.inputs, network.outputs) == (inputs, outputs)
    image = logits(choices, inputs, size)
    found = np.full((outputs, *size), np.nan, np.float32)
    into = found if not choices.once_in(8) else choices.array(found.shape, ("<f4",))
    threads = choices.of([1, 2, 3, 0, -1, 600])
    if not accepted(lambda: network.run(image, into, threads)):
        return
    if choices.once_in(4):
        network.release()
    if np.abs(image).max() < LARGE:
        error = 3e-5 * max(1, np.abs(image).max())
        np.testing.assert_allclose(into, weights.logits(np.array(image)), rtol=0, atol=error)


def wrong_layer(choices: Choices, kernel: np.ndarray, bias: np.ndarray) -> Any:
    """Such a layer in another form, which mostly none may have."""
    return choices.of(
        [
            lambda: (kernel[:, :, :, :, :2], bias),
            lambda: (kernel, bias[:-1]),
            lambda: (kernel[:-1], bias),
            lambda: (kernel[0], bias),
            lambda: (kernel.transpose(1, 0, 2, 3, 4), bias),
            lambda: (kernel.astype(np.float64) * 1e300, bias),
            lambda: (kernel[::-1, :, ::-1], bias.astype(">f4")),
            lambda: (kernel.reshape(*kernel.shape[:2], 27, 1, 1), bias),
            lambda: (kernel * np.nan, bias),
            lambda: (kernel.tolist(), bias.tolist()),
            lambda: (kernel[:0], bias[:0]),
            lambda: (choices.array(kernel.shape, ("<f4",)), bias),
            lambda: (kernel,),
            lambda: None,
        ]
    )()


def unet_weights(choices: Choices) -> None:
    """Weights of which one or more have another shape, type or number."""
    filters = choices.of([16, 8, 17])
    weights = _weights(2, filters, 1)
    blocks: list[Any] = [list(map(list, weights.contracting)), list(map(list, weights.expanding))]
    head: Any = weights.head
    for layer in range(choices.whole(1, 2)):
        side, level = choices.whole(0, 1), choices.whole(0, 1)
        blocks[side][level][layer] = wrong_layer(choices, *blocks[side][level][layer])
        if choices.once_in(4):
            blocks[side] = choices.of([blocks[side][:1], blocks[side] * 2, [], None, [[]]])
            break
        if choices.once_in(8):
            head = choices.of([(head[0][:0], head[1][:0]), (head[0], head[1][:0]), None, blocks[0][0][0]])
            break
    slope = choices.of([SLOPE, math.nan, -1e38, 1e300, 0.0])
    network = result_of(lambda: _core.UNet(blocks[0], blocks[1], head, slope))
    if network is not None:
        kernels = [layer[0] for block in itertools.chain(*blocks) for layer in block]
        assert all(np.shape(kernel)[2:] == (3, 3, 3) for kernel in kernels), "kernels of another shape"
        size = (2, 4, 2)
        image = np.ones((network.inputs, *size), np.float32)
        network.run(image, np.zeros((network.outputs, *size), np.float32), 1)
