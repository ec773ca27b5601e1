"""Read a scan from disk: every format that SimpleITK reads, and folders of DICOM slices."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import SimpleITK as sitk

from .errors import InputError
from .nifti import read_header
from .out_of_memory import memory_errors
from .paths import is_there
from .plausibility import check_shape, check_spacing
from .slices import check_slices

_DESCRIPTION = "0008|103e"


def read(path: Path) -> tuple[sitk.Image, list[str]]:
    """The 3-D scalar image at `path` and warnings about it.

    Raises InputError.
    """
    if not is_there(path, InputError):
        raise InputError(f"There is no file or folder {path}.")
    return _read_folder(path) if path.is_dir() else _read_file(path)


def _read_file(path: Path) -> tuple[sitk.Image, list[str]]:
    header = read_header(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        if header:
            header.check_voxels()  # has a better word for a damaged file
        raise InputError(f"{path} is not an image that can be read: {_reason(error)}.") from error
    check_shape(str(path), reader.GetSize(), reader.GetNumberOfComponents())
    check_spacing(str(path), reader.GetSpacing())
    with ThreadPoolExecutor(1) as pool:  # the reader uses one core, so the check costs no time beside it
        check = pool.submit(header.check_voxels) if header else None
        try:
            with memory_errors():
                image, failure = reader.Execute(), None
        except RuntimeError as error:
            image, failure = None, error
        if check:
            check.result()
    if failure and header and "nifti_image_load failed" in str(failure):
        raise MemoryError(f"{path} is whole, but cannot be loaded") from failure  # niftilib tells no reason
    if failure:
        raise InputError(f"{path} is damaged or cut short: {_reason(failure)}.") from failure
    return image, header.warnings(str(path)) if header else []


def _read_folder(path: Path) -> tuple[sitk.Image, list[str]]:
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(path))
    if not series:
        raise InputError(f"The folder {path} holds no DICOM slices; give an image file or a DICOM folder.")
    files = {uid: sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path), uid) for uid in series}
    if len(series) > 1:
        found = "; ".join(f"{uid} ({_description(names)})" for uid, names in files.items())
        raise InputError(
            f"The folder {path} holds {len(series)} DICOM series, expected one: {found}. "
            "Copy the files of one series into a folder of its own."
        )
    names = files[series[0]]
    warnings = _left_out(path, names)
    if len(names) == 1:  # of many frames, or a single slice
        image, _ = _read_file(Path(names[0]))
        return image, warnings
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(names)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(f"The DICOM series in {path} cannot be read: {_reason(error)}.") from error
    return image, [*warnings, *check_slices(path, reader, len(names))]


def _left_out(path: Path, names: Sequence[str]) -> list[str]:
    """A warning if there are DICOM files that GDCM does not take for slices, as it does those cut short."""
    taken = {Path(name).name for name in names}
    left = sorted(
        file.name
        for file in path.iterdir()
        if file.name not in taken and file.name != "DICOMDIR" and _is_dicom(file)
    )
    if not left:
        return []
    found = ", ".join(left[:5]) + (", …" if len(left) > 5 else "")
    return [f"In {path} no slice could be read from {found}: damaged, or DICOM of another kind."]


def _is_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _description(names: tuple[str, ...]) -> str:
    reader = sitk.ImageFileReader()
    reader.SetFileName(names[0])
    reader.ReadImageInformation()
    text = reader.GetMetaData(_DESCRIPTION).strip() if reader.HasMetaDataKey(_DESCRIPTION) else ""
    slices = f"{len(names)} file" + ("s" if len(names) > 1 else "")
    return f"{text}, {slices}" if text else slices


def _reason(error: RuntimeError) -> str:
    """The last line of SimpleITK's message, without its prefix."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else "no reason given"
    if "Unable to determine ImageIO reader" in last:
        return "its format is none that SimpleITK knows"
    if "Size mismatch" in last or "does not fully contain the requested region" in str(error):
        return "its slices differ in size"
    return last.removeprefix("sitk::ERROR:").removeprefix("ITK ERROR:").strip().rstrip(".")
