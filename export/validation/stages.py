"""The pipeline around any pair of networks, with all that lies between them kept."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from efficientscn_trt import _core
from efficientscn_trt.bundle import Pipeline
from efficientscn_trt.volume import Scan


class Networks(Protocol):
    """Both networks, as a backend has them."""

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask, bool [z, y, x], of an image float32 [z, y, x]."""
        ...

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities, float32 [label, z, y, x], of an image float32 [z, y, x]."""
        ...


@dataclass(frozen=True)
class Intermediate:
    """What one pair of networks made of a scan.

    `crop` is the plan of the segmentation and `image` its input. `labels` are uint8 [z, y, x] along LPS axes,
    `box` is where they may be other than 0.
    """

    mask: np.ndarray
    crop: Any
    image: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def box(self) -> tuple[slice, ...]:
        """The crop, cut at the scan's border."""
        ranges = zip(self.crop.crop_start, self.crop.crop_stop, self.labels.shape, strict=True)
        return tuple(slice(max(first, 0), min(stop, size)) for first, stop, size in ranges)


class Stages:
    """The stages of a bundle's pipeline for one scan."""

    def __init__(self, scan: Scan, pipeline: Pipeline) -> None:
        self.scan, self._spacing = scan, scan.geometry.lps_spacing
        if scan.geometry.spacing == pipeline.unknown_spacing.marker_xyz:
            x, y, z = pipeline.unknown_spacing.used_xyz
            self._spacing = z, y, x
        self._localization = _core.LocalizationParameters(**dataclasses.asdict(pipeline.localization))
        self._segmentation = _core.SegmentationParameters(**dataclasses.asdict(pipeline.segmentation))
        self._plan = _core.plan_localization(scan.lps.shape, self._spacing, self._localization)
        self._image = _core.localization_input(scan.lps, self._plan, self._localization)

    def run(self, networks: Networks) -> Intermediate:
        """All stages with `networks`."""
        mask = np.ascontiguousarray(networks.localize(self._image))
        found = _core.mask_box(mask)
        if found is None:
            box = _core.whole_volume_box(self._plan, self._localization)
        else:
            box = _core.box_from_mask(*found, self._plan, self._localization)
        shape = self.scan.lps.shape
        crop = _core.plan_segmentation(shape, self._spacing, box, self._segmentation)
        image = _core.segmentation_input(self.scan.lps, self._spacing, crop, self._segmentation)
        probabilities = np.ascontiguousarray(networks.segment(image))
        labels = np.empty(shape, np.uint8)
        _core.write_labels(probabilities, crop, labels)
        return Intermediate(mask, crop, image, probabilities, labels)
