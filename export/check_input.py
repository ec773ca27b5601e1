"""What the networks are checked on: inputs of a real pipeline run, from a CT or from a phantom."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from efficientscn_trt import _core
from efficientscn_trt.bundle import Pipeline
from efficientscn_trt.errors import ExportError
from efficientscn_trt.volume import open_scan

PHANTOM_SEED = 0

LARGEST_CROP = (32, 64, 96)
"""Voxels (z, y, x) of the segmentation check, different so that an exchange of axes shows.

The full size would take ten times the time and memory."""

Mask = Callable[[np.ndarray], np.ndarray]


class CheckScan:
    """A scan that gives each network's input as the pipeline would."""

    def __init__(self, path: Path | None, pipeline: Pipeline) -> None:
        """Open the CT at `path`, without one a phantom. Raises InputError, ExportError."""
        if path is None:
            from efficientscn_trt.phantom import make_phantom

            self.name = f"phantom {PHANTOM_SEED}"
            scan = open_scan(make_phantom(PHANTOM_SEED).image)
        else:
            self.name = path.name
            scan = open_scan(path)
        self._volume, self._spacing = scan.lps, scan.geometry.lps_spacing
        self._scan = scan  # owns what the view looks at
        try:
            self._localization = _core.LocalizationParameters(**dataclasses.asdict(pipeline.localization))
            self._segmentation = _core.SegmentationParameters(**dataclasses.asdict(pipeline.segmentation))
        except ValueError as error:
            raise ExportError(f"The pipeline's parameters do not fit together: {error}") from error
        self._plan = _core.plan_localization(self._volume.shape, self._spacing, self._localization)

    def localization(self) -> np.ndarray:
        """Input of the localization network, float32 [1, 1, z, y, x], in full."""
        return _core.localization_input(self._volume, self._plan, self._localization)[None, None]

    def segmentation(self, localize: Mask) -> np.ndarray:
        """The middle of the segmentation network's input, float32 [1, 1, z, y, x], at most LARGEST_CROP.

        `localize` gives the mask [1, z, y, x] of a localization input [1, 1, z, y, x]. Where it finds
        nothing, as weights that know no phantoms may, the whole scan is the box.
        """
        mask = localize(self.localization())
        found = _core.mask_box(np.ascontiguousarray(mask.reshape(mask.shape[-3:])))
        if found is None:
            box = _core.whole_volume_box(self._plan, self._localization)
        else:
            box = _core.box_from_mask(*found, self._plan, self._localization)
        plan = _core.plan_segmentation(self._volume.shape, self._spacing, box, self._segmentation)
        image = _core.segmentation_input(self._volume, self._spacing, plan, self._segmentation)
        middle = tuple(_middle(*sizes) for sizes in zip(image.shape, LARGEST_CROP, strict=True))
        return np.ascontiguousarray(image[middle])[None, None]


def _middle(size: int, largest: int) -> slice:
    width = min(size, largest)
    first = (size - width) // 2
    return slice(first, first + width)
