"""The networks' inputs that engines are verified on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ...bundle import LocalizationParameters, PipelineParameters, SegmentationParameters
from ...phantom import make_phantom
from ...triples import Size

PHANTOM_SEED = 0
PHANTOM = f"phantom {PHANTOM_SEED}"
"""The phantom that networks are checked on."""


@dataclass(frozen=True)
class CheckImages:
    """An input of each network, float32 [z, y, x], made from the scan or phantom `name`."""

    name: str
    localization: np.ndarray
    segmentation: np.ndarray


def phantom_images(pipeline: PipelineParameters, localization: Size, segmentation: Size) -> CheckImages:
    """Inputs of these sizes (z, y, x), drawn in the spacing of the networks."""
    return CheckImages(
        PHANTOM,
        _drawn(pipeline.localization, localization),
        _drawn(pipeline.segmentation, segmentation),
    )


def _drawn(stage: LocalizationParameters | SegmentationParameters, size: Size) -> np.ndarray:
    hu = sitk.GetArrayFromImage(make_phantom(PHANTOM_SEED, size[::-1], (stage.spacing_mm,) * 3).image)
    scaled = hu.astype(np.float32) / np.float32(stage.intensity_scale)
    return scaled.clip(np.float32(stage.intensity_min), np.float32(stage.intensity_max))
