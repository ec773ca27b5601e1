"""Write an image to disk, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError, OutputError
from .atomic import check_writable, replacing
from .orientation import Geometry
from .paths import is_there, not_a_file
from .reading import may_be_dicom
from .segments import Segment

#: Formats that keep an image in one file, so that a rename replaces all of it.
NIFTI_EXTENSIONS = (".nii.gz", ".nii")
SEGMENTATION_EXTENSION = ".seg.nrrd"  # of 3D Slicer
DICOM_EXTENSION = ".dcm"
EXTENSIONS = (*NIFTI_EXTENSIONS, ".nrrd", ".mha", SEGMENTATION_EXTENSION)
OUTPUT_EXTENSIONS = (*EXTENSIONS, DICOM_EXTENSION)


def no_series(path: Path, kind: str) -> OutputError:
    """That `path` would be a `kind` of DICOM object for a scan that is no DICOM."""
    return OutputError(
        f"{path} would be {kind}, which refers to the slices of a DICOM series, but the scan is none; write "
        "another format, such as .nii.gz."
    )


def check_output(path: str | os.PathLike[str]) -> None:
    """Refuse a `path` that a label map could not be written to, before any work is done.

    Raises OutputError.
    """
    target = Path(path)
    check_extension(target)
    check_writable(target)


def check_dicom_outputs(outputs: Iterable[Path], others: Mapping[str, Path | None], scan: Path) -> None:
    """Refuse DICOM in `outputs`, and `others`, by kind, if there is none at `scan`, before any work is done.

    Raises OutputError, and InputError if `scan` cannot be read.
    """
    wanted = {path: kind for kind, path in others.items() if path}
    for path in wanted:
        check_dicom_name(path)
    wanted = {**dict.fromkeys(filter(is_dicom_name, outputs), "DICOM SEG"), **wanted}
    if wanted and is_there(scan, InputError) and (scan.is_dir() or not not_a_file(scan)):
        path, kind = next(iter(wanted.items()))
        if not may_be_dicom(scan):
            raise no_series(path, kind)


def is_dicom_name(path: Path) -> bool:
    """Whether a file of this name is DICOM."""
    return path.name.lower().endswith(DICOM_EXTENSION)


def is_nifti_name(path: Path) -> bool:
    """Whether a file of this name is NIfTI."""
    return path.name.lower().endswith(NIFTI_EXTENSIONS)


def check_dicom_name(path: Path) -> None:
    """Raises OutputError for a name without the extension of DICOM."""
    if not is_dicom_name(path):
        raise OutputError(f"{path} has no known extension, expected {DICOM_EXTENSION}.")


def check_extension(target: Path) -> None:
    """Refuse a name whose extension is not that of a known format. Raises OutputError."""
    if target.name.lower() in OUTPUT_EXTENSIONS:
        raise OutputError(
            f"{target} has no name before its extension; give one, such as labels{target.name}."
        )
    if not target.name.lower().endswith(OUTPUT_EXTENSIONS):
        raise OutputError(f"{target} has no known extension, expected one of {', '.join(OUTPUT_EXTENSIONS)}.")


def write(array: np.ndarray, geometry: Geometry, target: Path, segments: Sequence[Segment] = ()) -> None:
    """Write `array` [z, y, x] to `target`, replacing a file that is there.

    `segments`: what a format for segmentations says of its labels. Raises OutputError.
    """
    with replacing(target) as temporary:
        if is_nifti_name(target):
            from .nifti import write_nifti

            write_nifti(array, geometry, temporary, compressed=target.name.lower().endswith(".gz"))
        elif target.name.lower().endswith(SEGMENTATION_EXTENSION):
            from .nrrd import write_segmentation

            write_segmentation(array, geometry, segments, temporary)
        elif target.name.lower().endswith(".nrrd"):
            from .nrrd import write_nrrd

            write_nrrd(array, geometry, temporary)
        else:
            from .itk import write_itk

            write_itk(array, geometry, temporary)
