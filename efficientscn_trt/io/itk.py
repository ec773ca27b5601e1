"""Read and write by SimpleITK: its own images, and files of formats that no other module reads."""

from __future__ import annotations

import errno
import math
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import InputError, OutputError
from ..out_of_memory import memory_errors
from .image import Image
from .orientation import Geometry
from .paths import check_name
from .placement import assumed, check_not_given, placed
from .plausibility import check_shape, check_spacing
from .streams import encoding_of

_UNKNOWN = "Unable to determine ImageIO reader"  # SimpleITK says so when it reads
_ORIENTED = ("HDF5ImageIO",)
_WITHOUT_ORIENTATION = ("VTKImageIO", "GiplImageIO")  # nor a check that the file is whole


class _Voxels:
    """A view of an image's voxels that keeps the image alive, which SimpleITK's own view does not."""

    def __init__(self, image: sitk.Image) -> None:
        self._image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def read_itk(path: Path, orientation: str | None = None) -> Image:
    """Read the 3-D scalar image in one file. Raises InputError.

    `orientation` (such as "LPS") is where the axes run if the format cannot say it.
    """
    check_name(path, InputError)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        kind = _kind_of(path, reader)
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(
            f"{path} cannot be read as an image: {_reason(error)}; give a CT as NIfTI, NRRD, MetaImage or "
            "DICOM."
        ) from error
    check_shape(str(path), reader.GetSize(), reader.GetNumberOfComponents())
    check_spacing(str(path), reader.GetSpacing())
    if kind in _WITHOUT_ORIENTATION:
        _check_whole(path, reader)
    try:
        with memory_errors():
            image = from_itk(reader.Execute(), str(path))
    except RuntimeError as error:
        raise InputError(
            f"{path} is damaged or cut short: {_reason(error)}; copy or download it again."
        ) from error
    if kind in _WITHOUT_ORIENTATION:
        image.geometry, image.warnings = assumed(str(path), image.geometry, orientation)
    else:
        check_not_given(str(path), orientation)
    return image


def from_itk(image: sitk.Image, name: str) -> Image:
    """The volume in `image`, without a copy. Raises InputError if it is not 3-D with one value per voxel."""
    check_shape(name, image.GetSize(), image.GetNumberOfComponentsPerPixel())
    kind = image.GetPixelIDTypeAsString()
    if "label" in kind or "complex" in kind:
        raise InputError(f"{name} has voxels of the type {kind}, expected HU values.")
    axes = np.reshape(image.GetDirection(), (3, 3))
    geometry = placed(name, image.GetSize(), image.GetSpacing(), image.GetOrigin(), axes)
    return Image(np.asarray(_Voxels(image)), geometry)


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
        sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise OSError(errno.ENOSPC, "it is not whole; the disk may be full") from error


def _kind_of(path: Path, reader: Any) -> str:
    """The name of the reader of a file, if what it reads can be trusted. Raises InputError, RuntimeError."""
    kind = str(reader.GetImageIOFromFileName(str(path)))
    if not kind:
        raise RuntimeError(_UNKNOWN)
    if kind in (*_ORIENTED, *_WITHOUT_ORIENTATION):
        return kind
    raise InputError(
        f"{path} looks like {kind.removesuffix('ImageIO')}, which is not read (or damaged); save the scan as "
        "NIfTI, NRRD or MetaImage."
    )


def _check_whole(path: Path, reader: Any) -> None:
    """Refuse what is cut short, where ITK fills in what is missing."""
    pixel = sitk.Image([1, 1, 1], reader.GetPixelID()).GetSizeOfPixelComponent()
    expected = math.prod(reader.GetSize()) * pixel
    if encoding_of(path) == "gzip":
        raise InputError(f"{path} is compressed, which is not read in this format; decompress it first.")
    if (found := path.stat().st_size) < expected:
        raise InputError(
            f"{path} is cut short: it has {found:,} bytes, but its header announces {expected:,} of voxels; "
            "copy or download it again."
        )


def _reason(error: RuntimeError) -> str:
    """The last line of SimpleITK's message, without its prefix."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else "no reason given"
    if _UNKNOWN in last:
        return "SimpleITK does not know its format"
    return last.removeprefix("sitk::ERROR:").removeprefix("ITK ERROR:").strip().rstrip(".")
