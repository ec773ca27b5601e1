"""A real CT through the exported networks, against the reference run of the released code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.core_parameters import localization_parameters

from efficientscn_trt import Segmentation, Segmenter, _core


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "golden" / "example_ct.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def result(shared: Path, released_segmenter: Segmenter) -> Segmentation:
    return released_segmenter.segment(shared / "data" / "ct" / "example_ct.nii.gz")


def test_mask_and_its_box(golden: dict[str, np.ndarray], released_segmenter: Segmenter) -> None:
    mask = released_segmenter._backend.localize(golden["localization_input"])
    assert np.count_nonzero(mask != golden["localization_mask"]) <= 2
    parameters = localization_parameters()
    plan = _core.plan_localization(
        golden["image_lps_shape"].tolist(), golden["spacing_zyx"].tolist(), parameters
    )
    corners = _core.mask_box(mask)
    assert corners is not None
    box = _core.box_from_mask(*corners, plan, parameters)
    assert tuple(box.start) == tuple(golden["bbox_start"])
    assert tuple(box.end) == tuple(golden["bbox_end"])


def test_box_of_the_result(golden: dict[str, np.ndarray], result: Segmentation) -> None:
    assert result.box.start_mm == tuple(golden["valid_bbox_start"])
    assert result.box.end_mm == tuple(golden["valid_bbox_end"])
    sizes = [part.stop - part.start for part in result.box.voxels]
    outside = golden["paddings"].sum(axis=1)
    crop = np.ceil((golden["valid_bbox_end"] + 1) / 3) - np.floor(golden["valid_bbox_start"] / 3)
    np.testing.assert_array_equal(sizes, crop - outside)


def test_labels(shared: Path, result: Segmentation) -> None:
    golden = sitk.ReadImage(str(shared / "golden" / "example_ct_label.nii.gz"))
    assert isinstance(result.array, np.ndarray)
    assert (result.array == sitk.GetArrayViewFromImage(golden)).mean() >= 0.9995
    assert set(np.unique(result.array)) == {0, 1, 2, 3, 4}
    assert result.warnings == []
    scan = sitk.ReadImage(str(shared / "data" / "ct" / "example_ct.nii.gz"))
    assert result.image.GetOrigin() == scan.GetOrigin()
    assert result.image.GetSpacing() == scan.GetSpacing()
    assert result.image.GetDirection() == scan.GetDirection()
