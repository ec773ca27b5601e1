"""Count the arithmetic of a network, and measure how fast the CPU does it at best.

Together they give the time that a network's convolutions would take, term by term, at the machine's best
speed. Reports compare it with the network's own time.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from ..triples import Size

CHANNELS = 32
"""Channels of the networks' full-resolution convolutions."""

PEAK_SIZE = (64, 96, 96)
PEAK_LAYERS = 4

CONVOLUTIONS = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData")


def multiply_adds(onnx: Path, size: Size) -> int:
    """Number of multiply-adds in the convolutions of a bundle's network at `size` (z, y, x)."""
    return sum(map(multiply_adds_of, operations(onnx, size)))


def operations(onnx: Path, size: Size) -> list[Any]:
    """OpenVINO's operations of a bundle's network at `size` (z, y, x), each after its inputs."""
    from ..backends.openvino_start import ov_core

    model = ov_core.read_model(str(onnx))
    model.reshape([1, 1, *size])
    found: list[Any] = model.get_ordered_ops()
    return found


def multiply_adds_of(node: Any) -> int:
    """Number of weights times number of output voxels; of input voxels for a transposed convolution.

    0 for an operation that is not a convolution.
    """
    if node.get_type_name() not in CONVOLUTIONS:
        return 0
    transposed = "Backprop" in node.get_type_name()
    places = list((node.input(0) if transposed else node.output(0)).get_shape())[2:]
    return int(np.prod(list(node.input(1).get_shape()))) * int(np.prod(places))


def peak_flops(precision: str, threads: int = 0, seconds: float = 3.0) -> float:
    """FLOP/s (two per multiply-add) of 3×3×3 convolutions from 32 to 32 channels on the CPU, the best of all
    repetitions in `seconds`. `precision`: "fp32", "bf16" or "int8" (unsigned values, signed weights).
    """
    from ..backends.openvino_start import compile_model

    config: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16", "int8": "f32"}[precision],
    }
    if threads:
        config["INFERENCE_NUM_THREADS"] = threads
    request = compile_model(_convolutions(precision == "int8"), config).create_infer_request()
    places = int(np.prod(PEAK_SIZE))
    work = 2 * places * 27 * CHANNELS * CHANNELS * PEAK_LAYERS
    request.infer()
    best, deadline = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        begin = time.perf_counter()
        request.infer()
        best = min(best, time.perf_counter() - begin)
    return work / best


def _convolutions(int8: bool) -> Any:
    """A chain of convolutions that reads one channel and returns means, so that little else is timed."""
    from ..backends.openvino_start import op as ops
    from ..backends.openvino_start import ov

    rng = np.random.default_rng(0)

    def quantized(value: Any, low: float, high: float, levels: int) -> Any:
        ends = [ops.constant(np.float32(end)) for end in (low, high)]
        return ops.fake_quantize(value, *ends, *ends, levels) if int8 else value

    def convolve(value: Any, inputs: int) -> Any:
        kernel = (rng.standard_normal((CHANNELS, inputs, 3, 3, 3)) / np.sqrt(27 * inputs)).astype(np.float32)
        weights = quantized(ops.constant(kernel), -0.127, 0.127, 255)
        value = quantized(value, 0.0, 4.0, 256)
        return ops.convolution(value, weights, [1] * 3, [1] * 3, [1] * 3, [1] * 3)

    image = ops.parameter([1, 1, *PEAK_SIZE], np.float32)
    value = ops.convolution(
        image, ops.constant(np.ones((CHANNELS, 1, 1, 1, 1), np.float32)), [1] * 3, [0] * 3, [0] * 3, [1] * 3
    )
    for _ in range(PEAK_LAYERS):
        value = convolve(value, CHANNELS)
    return ov.Model([ops.reduce_mean(value, ops.constant(np.array([2, 3, 4])))], [image])
