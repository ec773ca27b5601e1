"""Take a scan as the caller has it (path, SimpleITK image, NumPy array) and check that it is a CT volume."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from . import _core
from .errors import InputError
from .orientation import Geometry
from .plausibility import (
    POSSIBLE_HU,
    check_direction,
    check_extent,
    check_finite,
    check_shape,
    check_spacing,
    check_values,
)
from .reading import read

Volume = str | os.PathLike[str] | sitk.Image | np.ndarray

#: dtypes that the core reads in place, and what another one becomes (one copy).
_NATIVE = frozenset({"int16", "uint8", "uint16", "int32", "float32"})
_CONVERTED = {
    "bool": "uint8",
    "int8": "int16",
    "uint32": "int32",
    "int64": "int32",
    "uint64": "int32",
    "float16": "float32",
    "float64": "float32",
}


@dataclass
class Scan:
    """A checked CT: `array` [z, y, x] in the image's own axes, HU, one of the dtypes that the core reads."""

    array: np.ndarray
    geometry: Geometry
    warnings: list[str] = field(default_factory=list)

    @property
    def lps(self) -> np.ndarray:
        """View [z, y, x] along LPS axes."""
        return self.geometry.lps_view(self.array)


class _Voxels:
    """The buffer of an image, which it keeps alive; SimpleITK's own view does not."""

    def __init__(self, image: sitk.Image) -> None:
        self._image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def open_scan(volume: Volume, spacing: Sequence[float] | None = None, threads: int = 0) -> Scan:
    """Read and check `volume`.

    `volume`: a path (any format that SimpleITK reads, or a folder with one DICOM series), a SimpleITK.Image,
    or a NumPy array [z, y, x] in HU along LPS axes, for which `spacing` (x, y, z) in mm is needed.
    Raises InputError.
    """
    warnings: list[str] = []
    if isinstance(volume, np.ndarray):
        scan = _from_array(volume, spacing)
        name = "The array"
    else:
        if spacing is not None:
            raise InputError("spacing is for NumPy arrays; a file or SimpleITK image has its own.")
        if isinstance(volume, str | os.PathLike):
            name = str(volume)
            image, warnings = read(Path(volume))
        elif isinstance(volume, sitk.Image):
            name, image = "The image", volume
        else:
            raise InputError(
                f"The volume is a {type(volume).__name__}, expected a path, SimpleITK.Image or NumPy array."
            )
        scan = _from_image(image, name)
    check_extent(name, scan.geometry.size, scan.geometry.spacing)
    scan.array = _native(scan.array, name)
    low, high, nonfinite = _core.value_range(scan.array, threads=threads)
    check_finite(name, nonfinite)
    scan.warnings = warnings + check_values(name, low, high)
    return scan


def _from_image(image: sitk.Image, name: str) -> Scan:
    check_shape(name, image.GetSize(), image.GetNumberOfComponentsPerPixel())
    check_spacing(name, image.GetSpacing())
    check_direction(name, image.GetDirection())
    kind = image.GetPixelIDTypeAsString()
    if "label" in kind or "complex" in kind:
        raise InputError(f"{name} has voxels of the type {kind}, expected HU values.")
    return Scan(np.asarray(_Voxels(image)), Geometry.of(image))


def _from_array(array: np.ndarray, spacing: Sequence[float] | None) -> Scan:
    name = "The array"
    if spacing is None:
        raise InputError("A NumPy array has no spacing; give spacing=(x, y, z) in mm.")
    check_shape(name, array.shape[::-1])
    values = tuple(float(value) for value in spacing)
    check_spacing(name, values)
    z, y, x = array.shape
    return Scan(array, Geometry((x, y, z), (values[0], values[1], values[2])))


def _native(array: np.ndarray, name: str) -> np.ndarray:
    """`array` itself if the core reads its dtype, else one converted copy."""
    kind = array.dtype.name
    if kind not in _NATIVE and kind not in _CONVERTED:
        raise InputError(
            f"{name} has voxels of the type {array.dtype}, expected whole numbers or floats (HU)."
        )
    target = np.dtype(_CONVERTED.get(kind, kind))
    if array.dtype.kind in "iu" and target.kind == "i":
        # Before the conversion, which would wrap such values around into possible ones.
        low, high = array.min(), array.max()
        if low < POSSIBLE_HU[0] or high > POSSIBLE_HU[1]:
            check_values(name, float(low), float(high))
    with np.errstate(over="ignore"):  # beyond float32 counts as infinite
        return array.astype(target, copy=False)
