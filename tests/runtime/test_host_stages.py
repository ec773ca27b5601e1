"""The steps around the networks that the runtime, the export and the benchmarks share."""

from __future__ import annotations

import numpy as np
import pytest
from support.scans import SPACING_XYZ, block_array

from efficientscn_trt.bundle import LocalizationParameters, PipelineParameters, UnknownSpacing
from efficientscn_trt.io.volume import open_scan
from efficientscn_trt.pipeline.host_stages import HostStages

RELEASED = PipelineParameters()


def test_a_scan_keeps_its_spacing() -> None:
    assert HostStages.of(open_scan(block_array(), SPACING_XYZ), RELEASED).spacing == SPACING_XYZ[::-1]


def test_an_unknown_spacing_is_replaced() -> None:
    scan = open_scan(np.full((30, 100, 200), -1000, np.int16), (1, 1, 1))
    stages = HostStages.of(scan, PipelineParameters(unknown_spacing=UnknownSpacing(by_value=True)))
    assert stages.spacing == (2.52795318268203, 0.814528640267884, 0.814528640267884)
    # 30 · 2.528 / 6 = 12.6, 100 · 0.8145 / 6 = 13.6, 200 · 0.8145 / 6 = 27.2
    assert stages.localization.resized_size == (13, 14, 28)


@pytest.mark.parametrize("voxel", [None, (15, 20, 20)])
def test_the_box_is_that_of_the_mask_and_the_whole_scan_without_one(voxel: tuple[int, ...] | None) -> None:
    scan = open_scan(np.full((50, 50, 50), -1000, np.int16), (6, 6, 6))
    stages = HostStages.of(scan, RELEASED)
    assert stages.localization.pad_before == (7, 7, 7)  # 50 become 64
    mask = np.zeros(stages.localization.input_size, bool)
    if voxel is not None:
        mask[voxel] = True
    plan, found = stages.plan_segmentation(mask)
    assert found is (voxel is not None)
    start, end = np.array(plan.box.start), np.array(plan.box.end)
    # A box grows about its centre to the network's size, so only the centre can be compared.
    middle = np.full(3, 25.0) if voxel is None else np.array(voxel) - 7 + 0.5
    np.testing.assert_allclose((start + end) / 2, middle * 6, atol=1e-3)


def test_numbers_without_sense_are_refused() -> None:
    scan = open_scan(block_array(), SPACING_XYZ)
    wrong = PipelineParameters(localization=LocalizationParameters(spacing_mm=0.0))
    with pytest.raises(ValueError, match=r"spacing_mm must be a number from 0.001 to 1000, found 0"):
        HostStages.of(scan, wrong)
