"""Engines are compared with the networks where they run. NumPy computes them, right or wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fake_gpu import nearest_label, organ_mask, write_engines
from support.fake_memory import GpuMemory
from support.fake_pipeline import mask_shape, probabilities_shape

from efficientscn_trt import _core
from efficientscn_trt.backends import tensorrt
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import EngineChoice, Gpu
from efficientscn_trt.engines.build import NotRun
from efficientscn_trt.errors import FidelityError
from efficientscn_trt.export import EngineProof, engine_proof

pytestmark = pytest.mark.usefixtures("_own_cache")

VERSION = "10.3.0"
CARD = Gpu(0, "Test RTX 1", "9.0", 80 << 30)


def swapped(image: np.ndarray) -> np.ndarray:
    return nearest_label(image)[:, [0, 2, 1, 3, 4]]


def in_float16(image: np.ndarray) -> np.ndarray:
    return nearest_label(image).astype(np.float16).astype(np.float32)


def not_numbers(image: np.ndarray) -> np.ndarray:
    return nearest_label(image) * np.float32(np.nan)


def background(image: np.ndarray) -> np.ndarray:
    found = np.zeros_like(nearest_label(image))
    found[:, 0] = 1
    return found


def no_organ(image: np.ndarray) -> np.ndarray:
    return np.zeros(image.shape, np.bool_)


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., EngineChoice]:
    """Return a function that makes fp16 engines of the tiny bundle; each may compute a given function."""

    def make(**functions: Callable[[np.ndarray], np.ndarray]) -> EngineChoice:
        choice, trt = write_engines(tmp_path, VERSION, memory=GpuMemory())
        for network, function in functions.items():
            shape = mask_shape if network == "localization" else probabilities_shape
            output = "BOOL" if network == "localization" else "FLOAT"
            plan = f"{network} {function.__name__}".encode()
            trt.plans[plan] = lambda function=function, shape=shape, output=output: trt.engine(
                function, output_shape=shape, output=output
            )
            choice.file(network).write_bytes(plan)
            record = replace(getattr(choice, network), sha256=hashlib.sha256(plan).hexdigest())
            choice = replace(choice, **{network: record})
        for module in (tensorrt, engine_proof):
            monkeypatch.setattr(module, "load", lambda flavour: trt)
        records: dict[str, Any] = {
            network: replace(getattr(choice, network), precision="fp16")
            for network in ("localization", "segmentation")
        }
        return replace(choice, precision="fp16", **records)

    return make


def test_the_same_networks_agree(tiny_bundle: Bundle, engines: Callable[..., EngineChoice]) -> None:
    proof = EngineProof()
    verified = proof.run_engines(tiny_bundle, engines(segmentation=in_float16), CARD)
    assert not isinstance(verified, NotRun)
    mask, labels = verified["localization"], verified["segmentation"]
    assert (mask.gpu, mask.input) == ("Test RTX 1", "phantom 0")
    assert (mask.equal, mask.dice, mask.largest_difference) == (1, 1, None)
    assert labels.equal > 0.999
    assert labels.dice > 0.999
    assert labels.largest_difference is not None
    assert 0 < labels.largest_difference < 1e-3
    assert labels.size[0] > 32
    assert proof.warnings == []


@pytest.mark.parametrize(
    ("network", "function", "sentence"),
    [
        ("segmentation", swapped, "the Dice of the label .* is .*, expected at least 0.98"),
        ("segmentation", not_numbers, "values are not finite"),
        ("segmentation", background, "no voxel is an organ, where the network finds"),
        ("localization", no_organ, "no voxel is an organ, where the network finds"),
        ("localization", lambda image: ~organ_mask(image), "the Dice of the mask is 0.0000"),
    ],
)
def test_wrong_engines_are_refused(
    network: str,
    function: Callable[[np.ndarray], np.ndarray],
    sentence: str,
    tiny_bundle: Bundle,
    engines: Callable[..., EngineChoice],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choice = engines(**{network: function})
    with pytest.raises(
        FidelityError, match=f"fp16 engine of the {network} network.*: for phantom 0, .*{sentence}"
    ):
        EngineProof().run_engines(tiny_bundle, choice, CARD)
    monkeypatch.setattr(tensorrt, "obtain_engine", lambda *_, **__: choice)
    monkeypatch.setattr(tensorrt, "this_machine", lambda index: None)
    for _ in range(2):
        with pytest.raises(FidelityError, match=f"for phantom 0, .*{sentence}"):
            tensorrt.load_tensorrt(tiny_bundle, "fp16", 1, CARD)


def test_right_engines_are_loaded(
    tiny_bundle: Bundle,
    engines: Callable[..., EngineChoice],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    choice = engines()
    monkeypatch.setattr(tensorrt, "obtain_engine", lambda *_, **__: choice)
    monkeypatch.setattr(tensorrt, "this_machine", lambda index: None)
    for _ in range(2):
        assert tensorrt.load_tensorrt(tiny_bundle, "fp16", 1, CARD).precision == "fp16"
    assert (
        caplog.messages.count("The engines run on Test RTX 1 for the first time, so they are verified once.")
        == 1
    )


def test_engines_that_cannot_run_here(
    tiny_bundle: Bundle, engines: Callable[..., EngineChoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    choice, proof = engines(), EngineProof()
    other = replace(CARD, name="RTX 4090", compute_capability="8.9")
    assert proof.run_engines(tiny_bundle, choice, None) == NotRun(
        "No NVIDIA GPU with a driver was found here."
    )
    assert proof.run_engines(tiny_bundle, choice, other) == NotRun(
        "They are for the compute capability 9.0; RTX 4090 has another."
    )
    monkeypatch.setattr(_core, "cuda_status", lambda: {"problem": "This build is for CPUs only."})
    assert proof.run_engines(tiny_bundle, choice, CARD) == NotRun("This build is for CPUs only.")
