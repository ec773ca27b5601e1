"""Arguments that cannot be read in place are refused in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.core_parameters import localization_parameters, segmentation_parameters

from efficientscn_trt import _core

LOCALIZATION = localization_parameters()
SIZE = (8, 9, 10)
PLAN = _core.plan_localization(SIZE, (6, 6, 6), LOCALIZATION)
CROP = _core.plan_segmentation(SIZE, (6, 6, 6), _core.Box((0, 0, 0), (40, 40, 40)), segmentation_parameters())


def misaligned() -> np.ndarray[Any, Any]:
    records = np.zeros(SIZE, dtype=[("flag", "u1"), ("value", "<i2")])
    return records["value"]


@pytest.mark.parametrize(
    ("volume", "sentence"),
    [
        ([[[1]]], "volume must be a NumPy array, found list"),
        (np.zeros((4, 5), np.int16), r"volume must have 3 axes, found the shape \(4, 5\)"),
        (np.zeros((4, 0, 5), np.int16), r"volume must not be empty, found the shape \(4, 0, 5\)"),
        (np.zeros(SIZE), "volume must hold int16, .* found float64; convert it first"),
        (np.zeros(SIZE, ">i2"), "volume must hold int16, .* found >i2; convert it first"),
        (np.zeros(SIZE, bool), "volume must hold int16, .* found bool"),
        (misaligned(), "volume is not aligned"),
    ],
)
def test_volume(volume: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _core.localization_input(volume, PLAN, LOCALIZATION)
    with pytest.raises(ValueError, match=sentence):
        _core.value_summary(volume)


def test_threads() -> None:
    with pytest.raises(ValueError, match=r"threads must be 0 \(all cores\) or a positive number, found -2"):
        _core.value_summary(np.zeros(SIZE, np.int16), threads=-2)


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (np.zeros((3, 3), bool), "mask must have 3 axes"),
        (np.zeros((3, 3, 3), np.float32), "mask must hold bool or uint8 voxels, found float32"),
    ],
)
def test_mask(mask: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _core.mask_box(mask)


def read_only() -> np.ndarray[Any, Any]:
    labels = np.zeros(SIZE, np.uint8)
    labels.flags.writeable = False
    return labels


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.zeros(SIZE, np.int16), "labels must hold uint8 voxels, found int16"),
        (np.zeros((8, 9, 11), np.uint8), r"labels has the size \(8, 9, 11\) but the plan .* \(8, 9, 10\)"),
        (read_only(), "labels must be writable"),
    ],
)
def test_labels(labels: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _core.write_labels(np.zeros((5, *CROP.input_size), np.float32), CROP, labels)


@pytest.mark.parametrize(
    ("probabilities", "sentence"),
    [
        (np.zeros((5, 3, 3, 3), np.float32), "probabilities must have the shape"),
        (np.zeros(CROP.input_size, np.float32), "probabilities must have 4 axes"),
        (
            np.zeros((5, *CROP.input_size), np.float16),
            "probabilities must hold float32 values, found float16",
        ),
        (np.zeros((256, *CROP.input_size), np.float32), "1 to 255 classes, found 256"),
        (np.zeros((10, *CROP.input_size), np.float32)[::2], "probabilities must be C-contiguous"),
    ],
)
def test_probabilities(probabilities: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _core.write_labels(probabilities, CROP, np.zeros(SIZE, np.uint8))
