"""Read a scan from a path, a SimpleITK image or an array, and check that it is a CT volume."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from .. import _core
from ..errors import InputError
from ..scan_warning import ScanWarning
from ..triples import Triple, triple
from .device_array import MASKED, DeviceArray, device_array, is_device_array
from .image import Image
from .intensities import check_values
from .native import NATIVE, to_native
from .orientation import Geometry, direction_of
from .paths import as_path
from .plausibility import check_extent, check_place, check_shape, check_spacing
from .reading import folder_of, read, read_series
from .shear import is_sheared, straightened, to_be_straightened
from .source import DicomSource, ScanInput
from .unread import Admit, Unread, anything
from .wording import shown

if TYPE_CHECKING:
    import SimpleITK as sitk

Volume = Union[str, os.PathLike[str], Sequence[Any], "sitk.Image", np.ndarray, Any]


@dataclass
class Scan:
    """A checked CT: `array` [z, y, x] in the image's own axes, HU, one of the dtypes that the core reads."""

    array: np.ndarray
    geometry: Geometry
    name: str  # in messages
    warnings: list[ScanWarning] = field(default_factory=list)
    device: DeviceArray | None = None  # if the voxels are on a GPU; `array` has their address
    source: DicomSource | None = None
    input: ScanInput | None = None

    @property
    def on_device(self) -> bool:
        """Whether the voxels are on a GPU. `array` must then not be read."""
        return self.device is not None

    def check_values(self, summary: _core.ValueSummary) -> None:
        """Refuse values that cannot be HU, and warn of odd ones.

        Raises InputError.
        """
        self.warnings += check_values(self.name, summary)

    def release(self) -> None:
        """Release the voxels, but keep the geometry."""
        self.array, self.device = np.empty((0, 0, 0), self.array.dtype), None

    @property
    def lps(self) -> np.ndarray:
        """The voxels as a view [z, y, x] along LPS axes."""
        return self.geometry.lps_view(self.array)


def open_scan(
    volume: Volume,
    spacing: Sequence[float] | None = None,
    threads: int = 0,
    *,
    series: str | None = None,
    orientation: str | None = None,
    values: bool = True,
    admit: Admit = anything,
) -> Scan:
    """Read and check `volume`.

    `volume`: a path (an image file, or a DICOM series in a folder, a zip archive, a DICOMDIR or a file), a
    list of the paths of a DICOM series, a SimpleITK.Image, or an array [z, y, x] in HU along LPS axes. An
    array is NumPy's, or that of any library whose arrays are on a GPU and have `__cuda_array_interface__`;
    it needs `spacing` (x, y, z) in mm.
    `series` is the UID of the DICOM series to read, if there are several; `orientation` (such as "LPS") is
    where the axes of a file run whose header does not say it. With `values` False the caller must
    call `Scan.check_values`; for an array on a GPU the caller always must. `admit` is called once the size
    and the place are known and checked, before voxels are read or converted.
    Raises InputError, and what `admit` raises.
    """
    files = _files(volume)
    for name, option in (("series", series), ("orientation", orientation)):
        if option is None:
            continue
        if not isinstance(volume, str | os.PathLike) and not (name == "series" and files):
            raise InputError(f"`{name}` was given for a volume that is no path; leave it out.")
        if not isinstance(option, str):
            raise InputError(f"`{name}` is {shown(option)}, expected text.")
    if orientation is not None:
        direction_of(orientation)
    if isinstance(volume, np.ndarray):
        if volume.dtype.names is None and np.ma.is_masked(volume):
            raise InputError(MASKED)
        scan = _from_array(np.asarray(volume), spacing, None, admit)
    elif is_device_array(volume):
        device = device_array(volume)
        return _from_array(device.view, spacing, device, admit)
    elif spacing is not None:
        raise InputError(
            "`spacing` was given for a file or a SimpleITK.Image, which has its own; leave it out."
        )
    elif isinstance(volume, str | os.PathLike):
        path = as_path(volume, InputError)
        if os.fspath(volume) == "":
            raise InputError("The path of the volume is empty; give that of a file or a folder.")
        image = read(path, series, orientation, threads, lambda scan: admit(_checked(scan)))
        scan = _from_image(image, str(volume), str(volume), threads, str(volume))
    elif files:
        folder = folder_of(files)
        image = read_series(folder, files, series, threads, lambda scan: admit(_checked(scan)))
        scan = _from_image(image, str(folder), str(folder), threads, str(folder))
    elif (loaded := sys.modules.get("SimpleITK")) and isinstance(volume, loaded.Image):
        from .itk import from_itk

        image = from_itk(volume, "The image")
        admit(_checked(Unread.in_memory("The image", image.geometry, image.array)))
        scan = _from_image(image, "The image", "the image", threads)
    else:
        raise InputError(
            f"The volume is a {type(volume).__name__}, expected a path, a list of the paths of a DICOM "
            "series, a SimpleITK.Image or an array."
        )
    if values:
        scan.check_values(_core.value_summary(scan.array, threads=threads))
    return scan


def _files(volume: Volume) -> list[Path]:
    """The files of a volume that is a list of paths; none if it is something else."""
    if isinstance(volume, list | tuple) and all(isinstance(each, str | os.PathLike) for each in volume):
        return [as_path(each, InputError) for each in volume]
    return []


def _from_image(image: Image, name: str, object_name: str, threads: int, path: str = "") -> Scan:
    image.array = to_native(image.array, name)
    if is_sheared(image.geometry):  # interpolation would hide values that cannot be HU
        check_values(name, _core.value_summary(image.array, threads=threads))
    image = straightened(image, f"The slices of {object_name}")
    read_from = ScanInput(image.kind, path)
    return Scan(image.array, image.geometry, name, image.warnings, source=image.source, input=read_from)


def _checked(scan: Unread) -> Unread:
    """`scan` as `_from_image` makes it, if its place is possible."""
    geometry = scan.geometry
    check_spacing(scan.name, geometry.spacing)
    check_place(scan.name, geometry.origin, geometry.direction)
    check_extent(scan.name, geometry.size, geometry.spacing)
    return to_be_straightened(scan.converted())


def _from_array(
    array: np.ndarray, spacing: Sequence[float] | None, device: DeviceArray | None, admit: Admit
) -> Scan:
    name = "The array"
    if spacing is None:
        kind = "NumPy" if device is None else "GPU"
        raise InputError(f"A {kind} array has no spacing; give spacing=(x, y, z) in mm.")
    check_shape(name, array.shape[::-1])
    mm = _numbers(spacing)
    check_spacing(name, mm)
    z, y, x = array.shape
    geometry = Geometry((x, y, z), mm)
    check_extent(name, geometry.size, geometry.spacing)
    own = Unread.in_memory(name, geometry, array, on_device=device is not None)
    admit(own if device else own.converted())
    if device is None:
        return Scan(to_native(array, name), geometry, name, input=ScanInput("NumPy array"))
    if array.dtype.name not in NATIVE or not array.dtype.isnative:
        raise InputError(
            f"{name} has voxels of the type {array.dtype}, expected int16, uint8, uint16, int32 or float32 "
            "on a GPU; convert it there."
        )
    return Scan(array, geometry, name, device=device, input=ScanInput("array on a GPU"))


def _numbers(spacing: Sequence[float]) -> Triple:
    """`spacing` as three numbers. Raises InputError if it is something else."""
    try:
        unordered = isinstance(spacing, str | bytes | Mapping | Set)
        if not unordered and len(spacing) == 3 and not any(isinstance(each, str | bytes) for each in spacing):
            return triple(spacing)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(f"The spacing is {shown(spacing)}, expected three numbers (x, y, z) in mm.")
