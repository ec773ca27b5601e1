"""Both stages on a real CT against every intermediate of the reference run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from support import core_reference as reference
from support.core_parameters import localization_parameters, segmentation_parameters

from efficientscn_trt import _core

LOCALIZATION = localization_parameters()
SEGMENTATION = segmentation_parameters()


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, NDArray[Any]]:
    with np.load(shared / "golden" / "example_ct.npz") as arrays:
        return {name: arrays[name] for name in arrays}


@pytest.fixture(scope="module", params=["int16", "int32", "float32"])
def volume(shared: Path, request: pytest.FixtureRequest) -> NDArray[Any]:
    image = sitk.DICOMOrient(sitk.ReadImage(shared / "data" / "ct" / "example_ct.nii.gz"), "LPS")
    return sitk.GetArrayFromImage(image).astype(request.param)


@pytest.fixture(scope="module")
def spacing(golden: dict[str, NDArray[Any]]) -> tuple[float, ...]:
    return tuple(map(float, golden["spacing_zyx"]))


def golden_box(golden: dict[str, NDArray[Any]]) -> Any:
    return _core.Box(golden["bbox_start"].tolist(), golden["bbox_end"].tolist())


def test_localization_input(
    golden: dict[str, NDArray[Any]], volume: NDArray[Any], spacing: tuple[float, ...]
) -> None:
    plan = _core.plan_localization(volume.shape, spacing, LOCALIZATION)
    assert plan.spacing == tuple(golden["localization_spacing_zyx"])
    assert list(zip(plan.pad_before, plan.pad_after, strict=True)) == [
        tuple(pair) for pair in golden["localization_paddings"]
    ]
    image = _core.localization_input(volume, plan, LOCALIZATION)
    np.testing.assert_allclose(image, golden["localization_input"], rtol=0, atol=1e-5)


def test_box(golden: dict[str, NDArray[Any]], spacing: tuple[float, ...]) -> None:
    size = golden["image_lps_shape"].tolist()
    plan = _core.plan_localization(size, spacing, LOCALIZATION)
    corners = _core.mask_box(golden["localization_mask"])
    assert corners is not None
    box = _core.box_from_mask(*corners, plan, LOCALIZATION)
    assert box.start == tuple(golden["bbox_start"])
    assert box.end == tuple(golden["bbox_end"])


def test_segmentation_plan(golden: dict[str, NDArray[Any]], spacing: tuple[float, ...]) -> None:
    size = golden["image_lps_shape"].tolist()
    plan = _core.plan_segmentation(size, spacing, golden_box(golden), SEGMENTATION)
    assert plan.spacing == tuple(golden["segmentation_spacing_zyx"])
    assert plan.input_size == tuple(golden["valid_bbox_size"])
    assert plan.box.start == tuple(golden["valid_bbox_start"])
    assert plan.box.end == tuple(golden["valid_bbox_end"])
    assert plan.cropped_size == tuple(golden["segmentation_cropped_size"])
    assert plan.croppings == [tuple(pair) for pair in golden["croppings"]]
    assert plan.paddings == [tuple(pair) for pair in golden["paddings"]]


def test_segmentation_input(
    golden: dict[str, NDArray[Any]], volume: NDArray[Any], spacing: tuple[float, ...]
) -> None:
    plan = _core.plan_segmentation(volume.shape, spacing, golden_box(golden), SEGMENTATION)
    image = _core.segmentation_input(volume, spacing, plan, SEGMENTATION)
    np.testing.assert_allclose(image, golden["segmentation_input"], rtol=0, atol=1e-5)


def test_labels_of_given_probabilities(golden: dict[str, NDArray[Any]], spacing: tuple[float, ...]) -> None:
    size = tuple(int(n) for n in golden["image_lps_shape"])
    plan = _core.plan_segmentation(size, spacing, golden_box(golden), SEGMENTATION)
    probabilities = np.random.default_rng(5).random((5, *plan.input_size), np.float32)
    labels = np.full(size, 77, np.uint8)
    counts = _core.write_labels(probabilities, plan, labels)
    expected = reference.labels(probabilities, size, plan.cropped_size, plan.croppings, plan.paddings)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(counts, np.bincount(expected.ravel(), minlength=5))
