"""Read a folder with one DICOM series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from ..errors import InputError
from .dicom_slices import check_slices
from .image_file import read_file, reason

_DESCRIPTION = "0008|103e"


def read_series(path: Path) -> tuple[sitk.Image, list[str]]:
    """Read the one DICOM series in the folder `path`. Returns its volume, and warnings about it.

    Raises InputError.
    """
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(path))
    if not series:
        raise InputError(
            f"The folder {path} holds no DICOM slices (subfolders are not searched); give the folder that "
            "holds the slices of one series, or an image file."
        )
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
        image, _ = read_file(Path(names[0]))
        return image, warnings
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(names)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(
            f"The DICOM series in {path} cannot be read: {reason(error)}; export it from the archive again."
        ) from error
    return image, [*warnings, *check_slices(path, reader, len(names))]


def _left_out(path: Path, names: Sequence[str]) -> list[str]:
    """A warning if GDCM leaves out DICOM files, such as those that are cut short."""
    taken = {Path(name).name for name in names}
    left = sorted(
        file.name
        for file in path.iterdir()
        if file.name not in taken and file.name != "DICOMDIR" and _is_dicom(file)
    )
    if not left:
        return []
    found = ", ".join(left[:5]) + (", …" if len(left) > 5 else "")
    return [f"The scan in {path} lacks {found}: damaged, or no CT slice; copy a damaged file again."]


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
