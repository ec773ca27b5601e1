"""What `segment` returns, and how it is saved."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .io.device_array import DeviceLabels
from .io.orientation import Geometry
from .io.writing import check_extension, write
from .triples import Size, Slices, Triple


@dataclass(frozen=True)
class RegionOfInterest:
    """The part of the scan that the segmentation network saw.

    `start_mm` and `end_mm` are (z, y, x) in mm along LPS axes, from the corner of the scan; they may
    lie outside the scan. `voxels` are slices of the scan's own array [z, y, x], cut at its border.
    """

    start_mm: Triple
    end_mm: Triple
    voxels: Slices


@dataclass(frozen=True)
class Segmentation:
    """A label map with its geometry and the account of the run.

    `array` is uint8 [z, y, x] in the input's own axes, 0 = background, which `volumes_ml` leaves out; it lies
    on a GPU if that was asked for, and `numpy.asarray` then copies it. `seconds` has the stages of
    `segmenter.STAGES` in order. `peak_host_memory` is the largest resident memory, in bytes, that this
    process had from its start to the end of the run; `peak_device_memory` the most that the arena on the GPU
    held. `input_sizes`: voxels (z, y, x) that each network saw, by "localization" and "segmentation".
    """

    array: np.ndarray | DeviceLabels
    geometry: Geometry
    label_names: dict[int, str]
    volumes_ml: dict[str, float]
    box: RegionOfInterest
    device: str
    precision: str
    seconds: dict[str, float]
    peak_host_memory: int
    peak_device_memory: int = 0
    warnings: list[str] = field(default_factory=list)
    input_sizes: dict[str, Size] = field(default_factory=dict)

    @cached_property
    def image(self) -> sitk.Image:
        """The label map as an image with the input's spacing, origin and direction to the last bit."""
        image = sitk.GetImageFromArray(np.asarray(self.array))
        self.geometry.put_on(image)
        return image

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the label map to `path` (.nii.gz, .nii, .nrrd or .mha), replacing a file that is there.

        It is written beside `path` and renamed, so that there is never half a label map at `path`.
        Raises OutputError.
        """
        target = Path(path)
        check_extension(target)
        write(self.image, target)
