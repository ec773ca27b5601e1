"""Take and give SimpleITK's images, and read and write by it: VTK and GIPL, and MetaImage."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import InputError, OutputError
from ..out_of_memory import memory_errors
from .image import Image
from .metaimage import read_metaimage
from .orientation import Geometry
from .paths import check_name
from .placement import assumed, placed
from .plausibility import check_shape, check_spacing


class _Voxels:
    """A view of an image's voxels that keeps the image alive, which SimpleITK's own view does not."""

    def __init__(self, image: sitk.Image) -> None:
        self._image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def read_itk(path: Path, kind: str, orientation: str | None = None) -> Image:
    """Read the 3-D scalar image in a file of a format that cannot say how it is oriented.

    `kind` is the name of ITK's reader. `orientation` (such as "LPS") is where the axes run.
    Raises InputError.
    """
    check_name(path, InputError)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(kind)
    reader.SetFileName(str(path))
    try:
        with _silence():
            reader.ReadImageInformation()
            check_shape(str(path), reader.GetSize(), reader.GetNumberOfComponents())
            check_spacing(str(path), reader.GetSpacing())
            _check_whole(path, reader)
            with memory_errors():
                image = from_itk(reader.Execute(), str(path))
    except RuntimeError as error:
        raise InputError(
            f"{path} is damaged or holds no image: {_reason(error)}; give a CT as NIfTI, NRRD, MetaImage or "
            "DICOM."
        ) from error
    image.geometry, image.warnings = assumed(str(path), image.geometry, orientation)
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
    """Write `array` [z, y, x] as MetaImage, compressed. Raises OutputError, RuntimeError or OSError.

    The file is read back, because ITK's writers do not report every full disk.
    """
    check_name(path, OutputError)
    with _silence():
        sitk.WriteImage(to_itk(array, geometry), str(path), useCompression=True)
    try:
        read_metaimage(path)
    except InputError as error:
        raise OSError(errno.ENOSPC, "it is not whole; the disk may be full") from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep ITK's warnings from stderr."""
    display = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(display)


def _check_whole(path: Path, reader: Any) -> None:
    """Refuse what is cut short, where ITK fills in what is missing."""
    pixel = sitk.Image([1, 1, 1], reader.GetPixelID()).GetSizeOfPixelComponent()
    expected = math.prod(reader.GetSize()) * pixel
    if (found := path.stat().st_size) < expected:
        raise InputError(
            f"{path} is cut short: it has {found:,} bytes, but its header announces {expected:,} of voxels; "
            "copy or download it again."
        )


def _reason(error: RuntimeError) -> str:
    """The last line of SimpleITK's message, without its prefix."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else "no reason given"
    return last.removeprefix("sitk::ERROR:").removeprefix("ITK ERROR:").strip().rstrip(".")
