"""Read and write images by SimpleITK: NRRD, MetaImage, and the other formats that it knows."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError, OutputError
from ..out_of_memory import memory_errors
from .image import Image
from .orientation import Geometry
from .paths import check_name
from .plausibility import check_shape, check_spacing

#: By SimpleITK's reader: what has come past the readers of NIfTI and DICOM, and what it mirrors.
_REFUSED = {
    "NiftiImageIO": "NIfTI with a damaged header",
    "GDCMImageIO": "DICOM of an unknown form",
    "MINCImageIO": "MINC",
}


class _Voxels:
    """A view of an image's voxels that keeps the image alive, which SimpleITK's own view does not."""

    def __init__(self, image: sitk.Image) -> None:
        self._image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def read_itk(path: Path) -> Image:
    """Read the 3-D scalar image in one file. Raises InputError."""
    check_name(path, InputError)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        _check_format(path, reader.GetImageIOFromFileName(str(path)))
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(
            f"{path} cannot be read as an image: {_reason(error)}; give a CT as NIfTI, NRRD, MetaImage or "
            "DICOM."
        ) from error
    check_shape(str(path), reader.GetSize(), reader.GetNumberOfComponents())
    check_spacing(str(path), reader.GetSpacing())
    try:
        with memory_errors():
            image = reader.Execute()
    except RuntimeError as error:
        raise InputError(
            f"{path} is damaged or cut short: {_reason(error)}; copy or download it again."
        ) from error
    return from_itk(image, str(path))


def from_itk(image: sitk.Image, name: str) -> Image:
    """The volume in `image`, without a copy. Raises InputError if it is not 3-D with one value per voxel."""
    check_shape(name, image.GetSize(), image.GetNumberOfComponentsPerPixel())
    kind = image.GetPixelIDTypeAsString()
    if "label" in kind or "complex" in kind:
        raise InputError(f"{name} has voxels of the type {kind}, expected HU values.")
    return Image(np.asarray(_Voxels(image)), Geometry.of(image))


def to_itk(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    """`array` [z, y, x] as an image, copied."""
    image = sitk.GetImageFromArray(array)
    geometry.put_on(image)
    return image


def write_itk(array: np.ndarray, geometry: Geometry, path: Path) -> None:
    """Write `array` [z, y, x], compressed. Raises OutputError, RuntimeError or OSError.

    The file is read back, because ITK's writers do not report every full disk.
    """
    check_name(path, OutputError)
    sitk.WriteImage(to_itk(array, geometry), str(path), useCompression=True)
    try:
        read_itk(path)
    except InputError as error:
        raise OSError(errno.ENOSPC, "it is not whole; the disk may be full") from error


def _check_format(path: Path, reader: str) -> None:
    """Refuse what SimpleITK's `reader` would take for a format that it reads worse than others do."""
    if reader in _REFUSED:
        raise InputError(f"{path} is {_REFUSED[reader]}, which is not read; save it again, as NIfTI.")


def _reason(error: RuntimeError) -> str:
    """The last line of SimpleITK's message, without its prefix."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else "no reason given"
    if "Unable to determine ImageIO reader" in last:
        return "SimpleITK does not know its format"
    return last.removeprefix("sitk::ERROR:").removeprefix("ITK ERROR:").strip().rstrip(".")
