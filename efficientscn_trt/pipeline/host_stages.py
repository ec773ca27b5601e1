"""What the core computes on the host before, between and after the two networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from ..bundle import PipelineParameters
from ..bundle.core_parameters import CoreParameters
from ..triples import Triple
from .spacing import network_spacing

if TYPE_CHECKING:
    from ..io.volume import Scan


class HostStages:
    """The steps around the networks for scans of one size and spacing.

    Call `localization_input`, `plan_segmentation`, `segmentation_input` and `labels` in this order. Only the
    plan is kept between them, so that the caller decides how long each array lives. Scans and label maps are
    [z, y, x] along LPS axes.
    """

    def __init__(
        self, size: Sequence[int], spacing: Triple, parameters: CoreParameters, threads: int = 0
    ) -> None:
        """Plan stage 1 for scans of `size` voxels and `spacing` mm, both (z, y, x).

        `threads`: 0 for all cores. Raises ValueError for a size or spacing that no scan has.
        """
        self.spacing = spacing
        self._size, self._parameters, self._threads = size, parameters, threads
        self.localization = _core.plan_localization(size, spacing, parameters.localization)

    @classmethod
    def of(cls, scan: Scan, parameters: PipelineParameters, threads: int = 0) -> HostStages:
        """The steps for `scan` with the parameters of a manifest. Raises ValueError if they make no sense."""
        spacing, _ = network_spacing(scan.geometry, parameters.unknown_spacing)
        return cls(scan.lps.shape, spacing, CoreParameters.of(parameters), threads)

    def localization_input(self, scan: np.ndarray) -> np.ndarray:
        """The localization network's input, float32 [z, y, x], from a `scan` in HU."""
        return _core.localization_input(
            scan, self.localization, self._parameters.localization, threads=self._threads
        )

    def plan_segmentation(self, mask: np.ndarray) -> tuple[_core.SegmentationPlan, bool]:
        """Plan stage 2 for the box of `mask`, bool [z, y, x], the localization network's output.

        Also returns whether the mask has a voxel. If it has none, the box covers the whole scan.
        """
        corners = _core.mask_box(mask)
        stage_1 = self._parameters.localization
        if corners is None:
            box = _core.whole_volume_box(self.localization, stage_1)
        else:
            box = _core.box_from_mask(*corners, self.localization, stage_1)
        plan = _core.plan_segmentation(self._size, self.spacing, box, self._parameters.segmentation)
        return plan, corners is not None

    def segmentation_input(self, scan: np.ndarray, plan: _core.SegmentationPlan) -> np.ndarray:
        """The segmentation network's input, float32 [z, y, x], from a `scan` in HU."""
        return _core.segmentation_input(
            scan, self.spacing, plan, self._parameters.segmentation, threads=self._threads
        )

    def labels(
        self, probabilities: np.ndarray, plan: _core.SegmentationPlan, labels: np.ndarray
    ) -> np.ndarray:
        """Write the label map of `probabilities`, float32 [label, z, y, x], to `labels`, uint8.

        Every voxel is written; outside the crop it is 0. Returns the number of voxels of each label, uint64.
        """
        return _core.write_labels(probabilities, plan, labels, threads=self._threads)

    def confidence(
        self, probabilities: np.ndarray, plan: _core.SegmentationPlan
    ) -> list[_core.LabelConfidence]:
        """How sure the network is of each label of `probabilities`, float32 [label, z, y, x]."""
        return _core.label_confidence(probabilities, plan, threads=self._threads)
