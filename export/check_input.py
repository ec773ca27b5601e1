"""The inputs that the networks are checked on: the pipeline makes them from a CT or from a phantom."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from efficientscn_trt.backends.verification.images import PHANTOM, PHANTOM_SEED
from efficientscn_trt.bundle import PipelineParameters
from efficientscn_trt.errors import ExportError
from efficientscn_trt.io.volume import open_scan
from efficientscn_trt.pipeline.host_stages import HostStages
from efficientscn_trt.triples import Size

LARGEST_CROP = (32, 64, 96)
"""Largest size (z, y, x) of the segmentation check; all different, so that exchanged axes are noticed.

The full size would take ten times the time and memory."""


class CheckScan:
    """A scan, and the input that the pipeline makes from it for each network."""

    def __init__(self, path: Path | None, pipeline: PipelineParameters) -> None:
        """Open the CT at `path`, or make a phantom if `path` is None. Raises InputError, ExportError."""
        if path is None:
            from efficientscn_trt.phantom import make_phantom

            self.name = PHANTOM
            scan = open_scan(make_phantom(PHANTOM_SEED).image)
        else:
            self.name = path.name
            scan = open_scan(path)
        self._scan = scan
        try:
            self._stages = HostStages.of(scan, pipeline)
        except ValueError as error:
            raise ExportError(f"The pipeline's parameters do not fit together: {error}") from error

    def localization(self) -> np.ndarray:
        """Input of the localization network, float32 [1, 1, z, y, x], at full size."""
        return self._stages.localization_input(self._scan.lps)[None, None]

    def segmentation(self, mask: np.ndarray) -> np.ndarray:
        """The middle of the segmentation network's input, float32 [1, 1, z, y, x], at most LARGEST_CROP.

        `mask`, bool [z, y, x], is the localization network's output. If it is empty, as it may be for
        networks that were not trained on phantoms, the region of interest covers the whole scan.
        """
        return middle(self.segmentation_input(mask), LARGEST_CROP)[None, None]

    def segmentation_input(self, mask: np.ndarray) -> np.ndarray:
        """All of the segmentation network's input, float32 [z, y, x]; see `segmentation`."""
        plan, _ = self._stages.plan_segmentation(np.ascontiguousarray(mask))
        return self._stages.segmentation_input(self._scan.lps, plan)


def middle(image: np.ndarray, largest: Size) -> np.ndarray:
    """The middle of `image` [z, y, x], at most as large as `largest`."""
    return np.ascontiguousarray(
        image[tuple(_middle(*sizes) for sizes in zip(image.shape, largest, strict=True))]
    )


def _middle(size: int, largest: int) -> slice:
    width = min(size, largest)
    first = (size - width) // 2
    return slice(first, first + width)
