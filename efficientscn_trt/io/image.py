"""A volume as a reader returns it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from ..scan_warning import ScanWarning
from .orientation import Geometry
from .plausibility import check_shape


@dataclass
class Image:
    """`array` [z, y, x] in the image's own axes, where it lies, and what needs a look."""

    array: np.ndarray
    geometry: Geometry
    warnings: list[ScanWarning] = field(default_factory=list)


class _Voxels:
    """A view of an image's voxels that keeps the image alive, which SimpleITK's own view does not."""

    def __init__(self, image: sitk.Image) -> None:
        self._image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def from_sitk(image: sitk.Image, name: str, warnings: list[ScanWarning]) -> Image:
    """The volume in `image`, without a copy. Raises InputError if it is not 3-D with one value per voxel."""
    check_shape(name, image.GetSize(), image.GetNumberOfComponentsPerPixel())
    kind = image.GetPixelIDTypeAsString()
    if "label" in kind or "complex" in kind:
        raise InputError(f"{name} has voxels of the type {kind}, expected HU values.")
    return Image(np.asarray(_Voxels(image)), Geometry.of(image), warnings)
