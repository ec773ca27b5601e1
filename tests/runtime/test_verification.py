"""Engines are compared with the networks in float32 before they are used, once."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from efficientscn_trt.backends.cpu import CpuBackend
from efficientscn_trt.backends.protocols import Networks
from efficientscn_trt.backends.verification import phantom_images, verify_once
from efficientscn_trt.backends.verification.agreement import (
    LIMITS,
    Agreement,
    of_masks,
    of_probabilities,
)
from efficientscn_trt.bundle import Bundle, Engine, Profile, Verification
from efficientscn_trt.engines import EngineChoice, Gpu
from efficientscn_trt.errors import FidelityError
from efficientscn_trt.triples import Size

LABELS = ("background", "liver", "spleen")
CARD = Gpu(0, "NVIDIA H100", "9.0", 80 << 30)
OPT: dict[str, Size] = {"localization": (32, 48, 48), "segmentation": (32, 64, 96)}


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Probabilities 1 and 0, float32 [label, z, y, x]."""
    return np.stack([labels == value for value in range(len(LABELS))]).astype(np.float32)


@pytest.fixture
def labels() -> np.ndarray:
    """10×10×10 voxels: 200 of the liver and 100 of the spleen."""
    found = np.zeros((10, 10, 10), np.int64)
    found[:2], found[2] = 1, 2
    return found


def test_masks_by_hand() -> None:
    reference = np.zeros((1, 2, 5), np.bool_)
    reference[0, 0, :4] = True
    found = reference.copy()
    found[0, 0, 0], found[0, 1, :2] = False, True
    agreement = of_masks(reference, found)
    assert agreement.dice == 2 * 3 / (4 + 5)
    assert (agreement.equal, agreement.organs) == (0.7, (0.4, 0.5))
    (problem, other) = agreement.problems(LIMITS["fp16"])
    assert problem == "the Dice of the mask is 0.6667, expected at least 0.99"
    assert other == "70.000 % of the voxels are equal, expected 99 %"


def test_probabilities_by_hand(labels: np.ndarray) -> None:
    reference, found = one_hot(labels), one_hot(labels)
    found[:, 0, 0, 0] = (0.75, 0.25, 0)
    agreement = of_probabilities(reference, found, LABELS)
    assert agreement.worst == "liver"
    assert agreement.dice == pytest.approx(2 * 199 / (200 + 199))
    assert agreement.equal == 0.999
    assert (agreement.largest, agreement.mean) == (0.75, pytest.approx((0.75 + 0.75) / 3000))
    assert agreement.problems(LIMITS["fp16"]) == [
        "the probabilities differ by up to 0.75, expected at most 0.1"
    ]


def test_equal_results_have_no_problem(labels: np.ndarray) -> None:
    for precision in ("fp16", "fp32"):
        assert of_masks(labels > 0, labels > 0).problems(LIMITS[precision]) == []
        same = of_probabilities(one_hot(labels), one_hot(labels), LABELS)
        assert same.problems(LIMITS[precision]) == []


def test_two_labels_that_are_swapped(labels: np.ndarray) -> None:
    swapped = one_hot(labels)[[0, 2, 1]]
    agreement = of_probabilities(one_hot(labels), swapped, LABELS)
    assert (agreement.dice, agreement.equal) == (0, 0.7)
    assert "the Dice of the label liver is 0.0000" in agreement.problems(LIMITS["fp16"])[0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(value: float, labels: np.ndarray) -> None:
    found = one_hot(labels)
    found[1, :2] = value
    problems = of_probabilities(one_hot(labels), found, LABELS).problems(LIMITS["fp16"])
    assert problems == ["200 of 3,000 values are not finite"]


def test_only_background(labels: np.ndarray) -> None:
    sentence = ["no voxel is an organ, where the network finds 30.0 % of the voxels"]
    nothing = np.zeros_like(labels)
    found = of_probabilities(one_hot(labels), one_hot(nothing), LABELS)
    assert found.problems(LIMITS["fp16"]) == sentence
    assert of_masks(labels > 0, nothing > 0).problems(LIMITS["fp16"]) == sentence


def test_a_mask_of_a_few_voxels_is_not_judged_by_its_dice() -> None:
    reference = np.zeros((20, 20, 20), np.bool_)
    reference[0, 0, :7] = True
    agreement = of_masks(reference, np.zeros_like(reference))
    assert agreement.dice == 0
    assert agreement.problems(LIMITS["fp16"]) == []
    assert not agreement.shows_organs


def test_a_label_of_a_few_voxels_is_not_judged_by_its_dice() -> None:
    labels = np.zeros((20, 20, 20), np.int64)
    labels[0, 0, :7] = 1
    found = labels.copy()
    found[0, 0, 3:7] = 0
    agreement = of_probabilities(one_hot(labels), one_hot(found), LABELS)
    assert agreement.worst == "background"
    assert agreement.equal == 1 - 4 / 8000


def test_the_phantoms_inputs_have_the_networks_range_and_show_organs(tiny_bundle: Bundle) -> None:
    images = phantom_images(tiny_bundle.manifest.pipeline, **OPT)
    assert images.localization.shape == OPT["localization"]
    assert images.segmentation.shape == OPT["segmentation"]
    for image in (images.localization, images.segmentation):
        assert image.dtype == np.float32
        assert -1 <= image.min() < -0.4  # air
        assert 0.01 < np.median(image[image > 0]) < 0.08  # soft tissue, of 20 to 160 HU


class Changed:
    """Networks whose probabilities are changed."""

    def __init__(self, networks: Networks, *, wrong: bool = False) -> None:
        self._networks, self._wrong, self.runs = networks, wrong, 0

    def localize(self, image: np.ndarray) -> np.ndarray:
        self.runs += 1
        return self._networks.localize(image)

    def segment(self, image: np.ndarray) -> np.ndarray:
        found = self._networks.segment(image)
        return found[[0, 2, 1, 3, 4]] if self._wrong else found


@pytest.fixture
def choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineChoice:
    """The records of two engines that were not verified."""
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    records = {
        network: Engine(
            network=network,
            flavour="tensorrt",
            version="10.3.0",
            platform="here",
            compute_capabilities=("9.0",),
            precision="fp16",
            profiles=(Profile((32, 32, 32), size, size),),
            onnx_sha256="",
            file=f"{network}.engine",
            sha256=network,
            bytes=1,
            activation_memory=None,
        )
        for network, size in OPT.items()
    }
    return EngineChoice("tensorrt", "10.3.0", "fp16", tmp_path, **records)


@pytest.fixture(scope="module")
def exact(tiny_bundle: Bundle) -> CpuBackend:
    return CpuBackend(tiny_bundle, "fp32", 0)


def test_engines_are_verified_before_their_first_use_and_never_again(
    tiny_bundle: Bundle, choice: EngineChoice, exact: CpuBackend, caplog: pytest.LogCaptureFixture
) -> None:
    engines = Changed(exact)
    with caplog.at_level(logging.WARNING, "efficientscn_trt"):
        for _ in range(3):
            verify_once(tiny_bundle, choice, engines, CARD, "13.0")
    assert engines.runs == 1
    assert caplog.messages == [
        "The engines run on NVIDIA H100 for the first time, so they are verified once."
    ]


@pytest.mark.parametrize("what", ["gpu", "driver", "engine"])
def test_another_gpu_driver_or_engine_is_verified_too(
    what: str, tiny_bundle: Bundle, choice: EngineChoice, exact: CpuBackend
) -> None:
    engines = Changed(exact)
    verify_once(tiny_bundle, choice, engines, CARD, "13.0")
    gpu = dataclasses.replace(CARD, name="NVIDIA H200") if what == "gpu" else CARD
    if what == "engine":
        other = dataclasses.replace(choice.segmentation, sha256="another")
        choice = dataclasses.replace(choice, segmentation=other)
    verify_once(tiny_bundle, choice, engines, gpu, "13.1" if what == "driver" else "13.0")
    assert engines.runs == 2


def test_engines_that_their_build_verified_on_this_gpu(
    tiny_bundle: Bundle, choice: EngineChoice, exact: CpuBackend
) -> None:
    def verified(gpu: str) -> EngineChoice:
        proof = Verification(gpu, "phantom 0", (32, 32, 32), 1.0, 1.0, None)
        engines = (choice.localization, choice.segmentation)
        first, second = (dataclasses.replace(engine, verified=proof) for engine in engines)
        return dataclasses.replace(choice, localization=first, segmentation=second)

    engines = Changed(exact)
    verify_once(tiny_bundle, verified(CARD.name), engines, CARD, "13.0")
    assert engines.runs == 0
    verify_once(tiny_bundle, verified("NVIDIA A100"), engines, CARD, "13.0")
    assert engines.runs == 1


def test_a_wrong_engine_is_refused_and_that_is_remembered(
    tiny_bundle: Bundle, choice: EngineChoice, exact: CpuBackend
) -> None:
    engines = Changed(exact, wrong=True)
    sentences = set()
    for _ in range(3):
        with pytest.raises(
            FidelityError,
            match=r"^The fp16 engine of the segmentation network, by TensorRT 10\.3\.0, computes something "
            "else on NVIDIA H100 than the network in float32 on a CPU: for phantom 0, the Dice of the label",
        ) as raised:
            verify_once(tiny_bundle, choice, engines, CARD, "13.0")
        sentences.add(str(raised.value))
    assert len(sentences) == 1
    assert engines.runs == 1


def test_a_record_that_is_damaged_or_cannot_be_kept(
    tiny_bundle: Bundle,
    choice: EngineChoice,
    exact: CpuBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engines = Changed(exact)
    verify_once(tiny_bundle, choice, engines, CARD, "13.0")
    for record in (tmp_path / "cache" / "verified").iterdir():
        record.write_text('{"verified": 1}')
    verify_once(tiny_bundle, choice, engines, CARD, "13.0")
    assert engines.runs == 2
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        verify_once(tiny_bundle, choice, engines, CARD, "13.0")
    assert engines.runs == 4


def test_a_network_that_finds_nothing_says_little(
    tiny_bundle: Bundle,
    choice: EngineChoice,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = Nothing()
    monkeypatch.setattr("efficientscn_trt.backends.verification.CpuBackend", lambda *_: nothing)
    with caplog.at_level(logging.WARNING, "efficientscn_trt"):
        verify_once(tiny_bundle, choice, nothing, CARD, "13.0")
    assert [message.split(",")[0] for message in caplog.messages[1:]] == [
        f"The {network} network finds hardly an organ in phantom 0" for network in OPT
    ]


class Nothing:
    """Networks that find background alone."""

    def localize(self, image: np.ndarray) -> np.ndarray:
        return np.zeros(image.shape, np.bool_)

    def segment(self, image: np.ndarray) -> np.ndarray:
        found = np.zeros((5, *image.shape), np.float32)
        found[0] = 1
        return found


def test_limits_are_wider_than_float16_needs() -> None:
    """The worst of the released and the demo networks on two CTs, with float16 sums, computed on a CPU."""
    mask = Agreement(1, 0, (0.1, 0.1), equal=1.0, dice=0.9997)
    labels = Agreement(1, 0, (0.9, 0.9), equal=0.9953, dice=0.993, worst="liver", largest=0.017, mean=3.9e-4)
    assert mask.problems(LIMITS["fp16"]) == labels.problems(LIMITS["fp16"]) == []
