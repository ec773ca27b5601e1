"""Take and give SimpleITK's images, and write MetaImage by it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from .image import Image
from .metaimage import read_metaimage
from .orientation import Geometry
from .placement import placed
from .plausibility import check_shape


class _Voxels:
    """A view of an image's voxels that keeps the image alive, which SimpleITK's own view does not."""

    def __init__(self, image: sitk.Image) -> None:
        self._image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def from_itk(image: sitk.Image, name: str) -> Image:
    """The volume in `image`, without a copy. Raises InputError if it is not 3-D with one value per voxel."""
    check_shape(name, image.GetSize(), image.GetNumberOfComponentsPerPixel())
    kind = image.GetPixelIDTypeAsString()
    if "label" in kind or "complex" in kind:
        raise InputError(f"{name} has voxels of the type {kind}, expected HU values.")
    axes = np.reshape(image.GetDirection(), (3, 3))
    geometry = placed(name, image.GetSize(), image.GetSpacing(), image.GetOrigin(), axes)
    return Image(np.asarray(_Voxels(image)), geometry, "SimpleITK image")


def to_itk(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    """`array` [z, y, x] as an image, copied."""
    image = sitk.GetImageFromArray(array)
    geometry.put_on(image)
    return image


def write_itk(array: np.ndarray, geometry: Geometry, path: Path) -> None:
    """Write `array` [z, y, x] to `path` as MetaImage, compressed. Raises RuntimeError or OSError.

    ITK chooses the format by a file's name, and a name that is not UTF-8 ends the process, so it writes to a
    name of ours. The file is read back, because ITK's writers do not report every full disk.
    """
    with TemporaryDirectory() as scratch:
        written = Path(scratch, "image.mha")
        sitk.WriteImage(to_itk(array, geometry), str(written), useCompression=True)
        shutil.copyfile(written, path)
    try:
        read_metaimage(path)
    except InputError as error:
        raise OSError(errno.ENOSPC, "it is not whole; the disk may be full") from error
