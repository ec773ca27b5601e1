"""Prepared cases look like the core's inputs in inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.core_parameters import localization_parameters
from support.tiny_cases import SPACING, tiny_case

from efficientscn_trt import _core
from efficientscn_trt.errors import InputError
from efficientscn_trt.training.prepare import (
    STEP,
    PreparedCase,
    RawCase,
    prepare_localization,
    prepare_segmentation,
    segmentation_parameters,
)

KNOWN = (1, 2, 3, 4)


def raw(seed: int = 0) -> RawCase:
    hu, labels = tiny_case(seed)
    return RawCase(hu, labels, (SPACING,) * 3, KNOWN)


def test_localization_equals_the_input_of_inference() -> None:
    case = raw()
    parameters = localization_parameters()
    plan = _core.plan_localization(case.hu.shape, case.spacing, parameters)
    expected = _core.localization_input(case.hu, plan, parameters)
    prepared = prepare_localization(case)
    np.testing.assert_allclose(prepared.values * STEP, expected, atol=STEP / 2 + 1e-7)
    assert prepared.spacing == 6.0 and prepared.outside == -0.5 and prepared.known == (1,)
    organ_mm3 = prepared.labels.sum() * 6.0**3
    assert organ_mm3 == pytest.approx((case.labels > 0).sum() * SPACING**3, rel=0.3)


def test_segmentation_keeps_2_mm_voxels_but_for_smoothing() -> None:
    case = raw()
    prepared = prepare_segmentation(case)
    assert prepared.spacing == 2.0 and prepared.outside == 0.0
    found, given = np.ptp(prepared.box, axis=0), np.argwhere(case.labels > 0)
    # The region's edge is not at a voxel's edge, so voxels move by up to half a voxel.
    assert np.abs(found - (given.max(0) + 1 - given.min(0))).max() <= 1
    assert set(np.unique(prepared.labels)) == {0, *KNOWN}
    # Moved by half a voxel, a bar of six voxels takes five or six, so only larger organs are compared.
    for label in (1, 2, 3):
        assert (prepared.labels == label).sum() == pytest.approx((case.labels == label).sum(), rel=0.2)
    block = prepared.values[prepared.labels == 1] * STEP * 2048
    assert np.median(block) == pytest.approx(np.median(case.hu[case.labels == 1]), abs=8)


def test_beyond_the_scan_are_0_hu() -> None:
    prepared = prepare_segmentation(raw())
    corner = prepared.values[0, 0, 0] * STEP * 2048
    assert corner == pytest.approx(0, abs=1)


def test_a_large_box_takes_the_spacing_of_inference() -> None:
    hu, labels = tiny_case(1)
    case = RawCase(hu, labels, (SPACING * 6,) * 3, KNOWN)
    box = np.argwhere(labels > 0)
    extent = (box.max(0) + 1 - box.min(0)) * SPACING * 6 + 20
    ratio = float((extent / (160, 128, 160)).max())
    assert ratio > 1.9
    assert prepare_segmentation(case).spacing == pytest.approx(ratio + 0.1, rel=1e-5)


def test_voxels_may_be_larger() -> None:
    case = raw()
    prepared = prepare_segmentation(case, spacing_mm=4.0)
    assert prepared.spacing == 4.0
    for label in (1, 2):
        mm3 = (case.labels == label).sum() * SPACING**3
        assert (prepared.labels == label).sum() * 4.0**3 == pytest.approx(mm3, rel=0.35)


def test_a_spacing_grows_from_a_little_below_it() -> None:
    released, coarse = segmentation_parameters(2.0), segmentation_parameters(4.0)
    assert released.spacing_threshold == pytest.approx(1.9)
    assert (coarse.spacing_mm, coarse.spacing_threshold) == pytest.approx((4.0, 3.9))


def test_unknown_labels_are_background() -> None:
    case = raw()
    prepared = prepare_segmentation(RawCase(case.hu, case.labels, case.spacing, (1, 3)))
    assert set(np.unique(prepared.labels)) == {0, 1, 3}


def test_a_case_without_labels_is_refused() -> None:
    case = raw()
    with pytest.raises(InputError, match="no annotated organ; leave the case out"):
        prepare_segmentation(RawCase(case.hu, np.zeros_like(case.labels), case.spacing, KNOWN))


def test_saving_keeps_all(tmp_path: Path) -> None:
    case = prepare_segmentation(raw())
    case.save(tmp_path / "case.npz")
    loaded = PreparedCase.load(tmp_path / "case.npz")
    np.testing.assert_array_equal(loaded.values, case.values)
    np.testing.assert_array_equal(loaded.labels, case.labels)
    assert (loaded.spacing, loaded.known, loaded.outside) == (case.spacing, case.known, case.outside)
    assert loaded.box == case.box
