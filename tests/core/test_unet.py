"""The core's U-Net against NumPy in float64."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.unet_reference import SLOPE, UNetReference

from efficientscn_trt import _core


def network_of(reference: UNetReference, **changes: Any) -> _core.UNet:
    arguments: dict[str, Any] = {
        "contracting": reference.contracting,
        "expanding": reference.expanding,
        "head": reference.head,
        "slope": SLOPE,
    }
    return _core.UNet(**(arguments | changes))


def logits_of(network: _core.UNet, image: np.ndarray, threads: int = 0) -> np.ndarray:
    logits = np.full((network.outputs, *image.shape[1:]), np.nan, np.float32)
    network.run(image, logits, threads=threads)
    return logits


def image_of(size: tuple[int, ...], seed: int = 0, inputs: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 1.0, (inputs, *size)).astype(np.float32)


@given(
    st.integers(2, 4),
    st.sampled_from([16, 32, 48, 64]),
    st.one_of(st.just(1), st.integers(2, 7)),
    st.integers(1, 18),
    st.tuples(*[st.integers(1, 5)] * 3),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=25)
def test_logits(
    levels: int, filters: int, inputs: int, outputs: int, lowest: tuple[int, int, int], seed: int
) -> None:
    levels = min(levels, 2 if filters > 32 else 3 if max(lowest) > 3 else 4)
    size = tuple(length << (levels - 1) for length in lowest)
    reference = UNetReference.seeded(levels, filters, outputs, seed, inputs)
    image = image_of(size, seed, inputs)
    network = network_of(reference)
    found = logits_of(network, image)
    assert (network.inputs, network.outputs) == (inputs, outputs)
    np.testing.assert_allclose(found, reference.logits(image), rtol=0, atol=2e-5)


def test_the_released_architecture() -> None:
    reference = UNetReference.seeded(5, 32, 5)
    image = image_of((32, 48, 112))  # an odd number of voxels at the lowest level
    expected = reference.logits(image)
    np.testing.assert_allclose(logits_of(network_of(reference), image), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("filters", [16, 32, 64])
def test_the_rounding_error_of_minimal_filtering(filters: int) -> None:
    """With the points 0, ±1 and ±2 it would be three times the bound."""
    reference = UNetReference.seeded(2, filters, 5)
    image = image_of((8, 24, 36))
    expected = reference.logits(image)
    error = logits_of(network_of(reference), image) - expected
    scale = np.sqrt(np.mean(expected**2))
    assert np.sqrt(np.mean(error**2)) < 3e-6 * scale
    assert np.abs(error).max() < 2e-5 * scale


def test_what_ran_before_and_the_threads_leave_no_trace() -> None:
    network = network_of(UNetReference.seeded(3, 16, 2))
    images = [image_of((12, 36, 52), 1), image_of((20, 8, 16), 2)]
    first = [logits_of(network, image, threads=1) for image in images]
    for threads in (5, 2):
        for image, expected in zip(images, first, strict=True):
            np.testing.assert_array_equal(logits_of(network, -image, threads), logits_of(network, -image))
            np.testing.assert_array_equal(logits_of(network, image, threads), expected)
            network.release()
            np.testing.assert_array_equal(logits_of(network, image), expected)


def test_several_threads_may_call_it() -> None:
    network = network_of(UNetReference.seeded(3, 16, 2))
    images = [image_of((4 * n, 8, 16), n) for n in range(1, 7)]
    expected = [logits_of(network, image) for image in images]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda image: logits_of(network, image, threads=2), images * 3))
    for one, other in zip(found, expected * 3, strict=True):
        np.testing.assert_array_equal(one, other)


_SCRIPT = """
import sys
import numpy as np
from support.unet_reference import SLOPE, UNetReference
from efficientscn_trt import _core
assert _core.build_info()["simd_used"] == sys.argv[1], _core.build_info()
for inputs in (1, 5):
    reference = UNetReference.seeded(3, int(sys.argv[2]), 5, inputs=inputs)
    image = np.random.default_rng(0).uniform(-0.5, 1, (inputs, 12, 8, 20)).astype(np.float32)
    network = _core.UNet(reference.contracting, reference.expanding, reference.head, SLOPE)
    logits = np.empty((5, *image.shape[1:]), np.float32)
    network.run(image, logits)
    np.testing.assert_allclose(logits, reference.logits(image), rtol=0, atol=2e-5)
"""


@pytest.mark.parametrize("filters", [16, 32, 48])
@pytest.mark.parametrize("name", ["portable", "avx2"])
def test_each_instruction_set(name: str, filters: int) -> None:
    if name not in _core.build_info()["simd_compiled"] or _core.build_info()["simd_used"] == "portable":
        pytest.skip(f"the core has no {name} path, or this processor runs only portable code")
    environment = os.environ | {"ESCN_SIMD": name, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _SCRIPT, name, str(filters)]
    subprocess.run(command, check=True, env=environment)


def test_an_image_that_cannot_be_halved() -> None:
    network = network_of(UNetReference.seeded(4, 16, 1))
    with pytest.raises(ValueError, match=r"a multiple of 8 voxels along each axis, found .*16, 20, 24"):
        logits_of(network, image_of((16, 20, 24)))


def test_images_of_another_kind() -> None:
    network = network_of(UNetReference.seeded(2, 16, 1))
    with pytest.raises(ValueError, match="image must hold float32 values, found float64"):
        logits_of(network, np.zeros((1, 4, 4, 4)))
    with pytest.raises(ValueError, match="image must have 4 axes"):
        network.run(np.zeros((4, 4, 4), np.float32), np.zeros((1, 4, 4, 4), np.float32))
    with pytest.raises(ValueError, match="image must have 1 channels, found 2"):
        logits_of(network, np.zeros((2, 4, 4, 4), np.float32))
    with pytest.raises(ValueError, match="image must be C-contiguous"):
        logits_of(network, image_of((4, 4, 8))[..., ::2])
    with pytest.raises(ValueError, match=r"logits must have 1 outputs of the image's .*, found 2 of"):
        network.run(image_of((4, 4, 4)), np.zeros((2, 4, 4, 4), np.float32))


def test_weights_that_are_not_a_unet() -> None:
    reference = UNetReference.seeded(2, 16, 1)
    with pytest.raises(ValueError, match=r"2 to 16 levels, .* found 1 contracting and 2 expanding"):
        network_of(reference, contracting=reference.contracting[:1])
    with pytest.raises(ValueError, match=r"2 to 16 levels, .* found 65 contracting and 65 expanding"):
        network_of(
            reference,
            contracting=reference.contracting[:1] + reference.contracting[1:] * 64,
            expanding=reference.expanding[:1] * 64 + reference.expanding[1:],
        )
    with pytest.raises(ValueError, match="16, 32, 48 or 64 filters, found 8"):
        network_of(UNetReference.seeded(2, 8, 1))
    with pytest.raises(ValueError, match="1 to 256 inputs, found 257"):
        network_of(UNetReference.seeded(2, 16, 1, inputs=257))
    wrong = [reference.expanding[1], reference.expanding[0]]
    with pytest.raises(
        ValueError,
        match="first convolution of expanding block 0 must have 16 outputs of 32 inputs with 27 taps each",
    ):
        network_of(reference, expanding=wrong)
    kernel, bias = reference.head
    with pytest.raises(ValueError, match="found 1 outputs of 16 inputs, 16 weights and 2 biases"):
        network_of(reference, head=(kernel, np.append(bias, bias)))
    with pytest.raises(ValueError, match=r"a kernel \(outputs, inputs, z, y, x\) and a bias"):
        network_of(reference, head=(kernel[0], bias))
    first, second = reference.contracting[0]
    long = (first[0].reshape(16, 1, 27, 1, 1), first[1])
    with pytest.raises(ValueError, match=r"as many taps along each axis, found \(27, 1, 1\)"):
        network_of(reference, contracting=[[long, second], *reference.contracting[1:]])
