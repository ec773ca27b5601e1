"""One run on the host that keeps all intermediate results, to compare networks with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _core
from ..backends.protocols import Networks
from .host_stages import HostStages


@dataclass(frozen=True)
class Intermediate:
    """The results of one pair of networks for a scan.

    `crop` is the plan of the segmentation and `image` its input. `labels` are uint8 [z, y, x] along LPS axes;
    they are 0 outside `box`.
    """

    mask: np.ndarray
    crop: _core.SegmentationPlan
    image: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def box(self) -> tuple[slice, ...]:
        """The part of the crop that is within the scan."""
        ranges = zip(self.crop.crop_start, self.crop.crop_stop, self.labels.shape, strict=True)
        return tuple(slice(max(first, 0), min(stop, size)) for first, stop, size in ranges)


def run_with_intermediate(stages: HostStages, scan: np.ndarray, networks: Networks) -> Intermediate:
    """Run all `stages` with `networks` on a `scan` [z, y, x] along LPS axes, in HU."""
    mask = np.ascontiguousarray(networks.localize(stages.localization_input(scan)))
    crop, _ = stages.plan_segmentation(mask)
    image = stages.segmentation_input(scan, crop)
    probabilities = np.ascontiguousarray(networks.segment(image))
    labels = np.empty(scan.shape, np.uint8)
    stages.labels(probabilities, crop, labels)
    return Intermediate(mask, crop, image, probabilities, labels)
