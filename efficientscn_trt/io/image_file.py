"""Read one image file, in any format that SimpleITK reads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import SimpleITK as sitk

from ..errors import InputError
from ..out_of_memory import memory_errors
from ..scan_warning import ScanWarning
from .nifti import read_header
from .paths import check_name
from .plausibility import check_shape, check_spacing


def read_file(path: Path) -> tuple[sitk.Image, list[ScanWarning]]:
    """Read the 3-D scalar image in one file. Returns it, and warnings about it.

    Raises InputError.
    """
    check_name(path, InputError)
    header = read_header(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        if header:
            header.check_voxels()  # its message for a damaged file says more
        raise InputError(
            f"{path} cannot be read as an image: {_reason(error)}; give a CT as NIfTI, NRRD, MetaImage or "
            "DICOM."
        ) from error
    check_shape(str(path), reader.GetSize(), reader.GetNumberOfComponents())
    check_spacing(str(path), reader.GetSpacing())
    with ThreadPoolExecutor(1) as pool:  # the reader uses one core, so the check runs beside it for free
        check = pool.submit(header.check_voxels) if header else None
        try:
            with memory_errors():
                image, failure = reader.Execute(), None
        except RuntimeError as error:
            image, failure = None, error
        if check:
            check.result()
    if failure and header and "nifti_image_load failed" in str(failure):
        raise MemoryError(f"{path} is whole, but cannot be loaded") from failure  # niftilib gives no reason
    if failure:
        raise InputError(
            f"{path} is damaged or cut short: {_reason(failure)}; copy or download it again."
        ) from failure
    return image, header.warnings(str(path)) if header else []


def _reason(error: RuntimeError) -> str:
    """The last line of SimpleITK's message, without its prefix."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else "no reason given"
    if "Unable to determine ImageIO reader" in last:
        return "SimpleITK does not know its format"
    return last.removeprefix("sitk::ERROR:").removeprefix("ITK ERROR:").strip().rstrip(".")
