"""Limits of fidelity, and the picture of the worst slice; no network runs here."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("onnxscript")

from efficientscn_trt.export.validation.fidelity import Fidelity, Limits, compare
from efficientscn_trt.export.validation.picture import worst_slice
from efficientscn_trt.pipeline.intermediate import Intermediate

NAMES = {0: "background", 1: "liver", 2: "kidneys"}
SPACING = (2.0, 1.0, 1.0)
GOOD = Fidelity(8000, 0, 1e-5, 1e-7, 1.0, {"liver": 1.0, "kidneys": 0.999}, {"liver": 1.0, "kidneys": 1.0})
FLOOR = replace(GOOD, mask_unequal=10, largest=0.05, mean=1e-3)


def intermediate(seed: int = 0) -> Intermediate:
    rng = np.random.default_rng(seed)
    labels = np.zeros((10, 12, 14), np.uint8)
    labels[2:6, 2:8, 2:8], labels[6:9, 5:9, 5:12] = 1, 2
    crop: Any = SimpleNamespace(crop_start=(-2, 1, 1), crop_stop=(9, 14, 13))
    probabilities = rng.random((3, 8, 8, 8)).astype(np.float32)
    return Intermediate(rng.random((8, 8, 8)) > 0.5, crop, probabilities[0], probabilities, labels)


def found_in(precision: str, **changes: object) -> list[str]:
    return replace(GOOD, **changes).problems(precision, FLOOR, Limits())  # type: ignore[arg-type]


def test_the_same_result_has_no_difference() -> None:
    reference = intermediate()
    fidelity = compare(reference, reference, reference.probabilities.copy(), NAMES, SPACING)
    assert (fidelity.mask_unequal, fidelity.largest, fidelity.mean, fidelity.agreement) == (0, 0.0, 0.0, 1.0)
    assert fidelity.dice == fidelity.nsd == {"liver": 1.0, "kidneys": 1.0}
    assert fidelity.problems("fp32", fidelity, Limits()) == []


def test_differences_are_measured() -> None:
    reference = intermediate()
    mask, labels, probabilities = (
        array.copy() for array in (reference.mask, reference.labels, reference.probabilities)
    )
    mask[0, 0, 0] ^= True
    labels[2, 2:8, 2:8] = 0  # 36 of the liver's 144 voxels
    probabilities[1, 2, 3, 4] += 0.25
    found = replace(reference, mask=mask, labels=labels)
    fidelity = compare(reference, found, probabilities, NAMES, SPACING)
    assert (fidelity.mask_unequal, fidelity.mask_voxels) == (1, np.count_nonzero(reference.mask))
    assert fidelity.largest == pytest.approx(0.25)
    assert fidelity.mean == pytest.approx(0.25 / probabilities.size)
    assert fidelity.agreement == pytest.approx(1 - 36 / (9 * 11 * 12))  # of the crop inside the scan
    assert fidelity.dice["liver"] == pytest.approx(2 * 108 / (108 + 144))
    assert fidelity.nsd["liver"] < fidelity.nsd["kidneys"] == 1.0


def test_nan_never_passes() -> None:
    reference = intermediate()
    probabilities = reference.probabilities.copy()
    probabilities[0, 0, 0, 0] = np.nan
    fidelity = compare(reference, reference, probabilities, NAMES, SPACING)
    for precision in ("fp32", "fp16", "bf16"):
        assert fidelity.problems(precision, FLOOR, Limits())


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_a_good_backend_has_no_problems(precision: str) -> None:
    assert found_in(precision) == []


def test_float32_is_held_to_the_largest_difference() -> None:
    assert found_in("fp32", largest=2e-3) == [
        "the probabilities differ by up to 2.0e-03, expected at most 1e-03"
    ]
    assert found_in("fp16", largest=2e-3) == []


def test_16_bits_are_held_to_the_rounding_of_the_model_itself() -> None:
    assert found_in("fp16", mean=3.9e-3) == []
    assert found_in("fp16", mean=4.1e-3) == [
        "the probabilities differ by 4.1e-03 on average, expected at most 4.0e-03"
    ]
    assert found_in("bf16", mean=3.1e-2) == []
    assert found_in("bf16", mean=3.3e-2) != []


def test_the_mask_may_differ_by_ties_only() -> None:
    assert found_in("fp32", mask_unequal=6) == []
    assert found_in("fp32", mask_unequal=7) == ["7 voxels of the mask differ, expected at most 6"]
    assert found_in("fp16", mask_unequal=40) == []
    assert found_in("fp16", mask_unequal=41) == ["41 voxels of the mask differ, expected at most 40"]


def test_every_label_needs_its_dice() -> None:
    assert found_in("bf16", dice={"liver": 0.997, "kidneys": 1.0}) == [
        "the Dice of liver is 0.9970, expected at least 0.998"
    ]


def test_the_worst_slice_has_most_unequal_voxels() -> None:
    reference = intermediate().labels
    found = reference.copy()
    found[3, 2, 2], found[7, 5, 5:9] = 0, 1
    assert worst_slice(reference, found) == 7
    assert worst_slice(reference, reference) == 2  # the first slice with the most organ voxels
