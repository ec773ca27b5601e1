"""Read a scan from disk: DICOM, NIfTI, NRRD or MetaImage, each by its own package."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from .image import Image
from .paths import is_there, not_a_file
from .signatures import head_of, is_dicom, is_metaimage, is_nrrd, is_zip
from .unread import Admit, anything


def read(
    path: Path,
    series: str | None = None,
    orientation: str | None = None,
    threads: int = 0,
    admit: Admit = anything,
) -> Image:
    """Read the 3-D scalar image at `path`. Its axes may be sheared, unless it is DICOM.

    `path`: an image file, or one DICOM series, in any form that `read_dicom` reads. `series` is the UID of
    the DICOM series to read, if there are several. `orientation` (such as "LPS") is where the axes run if a
    file does not say it. `threads` is 0 for all cores.
    Raises InputError, and what `admit` raises, before it reads voxels.
    """
    if not is_there(path, InputError):
        raise InputError(f"There is no file or folder {path}.")
    if not path.is_dir() and (found := not_a_file(path)):
        raise InputError(f"{path} {found}, expected a file or a folder; save the scan as a file.")
    head = _head_of(path)
    if _is_dicom(path, head):
        from .dicom import read_dicom

        if orientation is not None:
            raise InputError(f"An orientation was given, but DICOM has its own; leave it out for {path}.")
        return read_dicom(path, series, threads, admit)
    if series is not None:
        raise InputError(f"A DICOM series was chosen, but {path} is no DICOM file or folder; leave it out.")
    return _read_file(path, head, orientation, admit)


def may_be_dicom(path: Path) -> bool:
    """Whether `read` would read DICOM at `path`, which is there. Raises InputError."""
    return _is_dicom(path, _head_of(path))


def _head_of(path: Path) -> bytes:
    return b"" if path.is_dir() else head_of(path)


def _is_dicom(path: Path, head: bytes) -> bool:
    return path.is_dir() or is_dicom(head) or is_zip(head)


def folder_of(files: Sequence[Path]) -> Path:
    """The innermost folder that all `files` are in."""
    folders = {file.parent for file in files}
    if len({folder.is_absolute() for folder in folders}) > 1:
        folders = {folder.absolute() for folder in folders}
    return Path(os.path.commonpath(folders))


def read_series(
    folder: Path,
    files: Sequence[Path],
    series: str | None = None,
    threads: int = 0,
    admit: Admit = anything,
) -> Image:
    """Read the DICOM series in those `files` of `folder`. See `read`."""
    for file in files:
        if found := not_a_file(file):
            raise InputError(f"{file} {found}, expected a file of a DICOM series.")
    from .dicom import read_dicom

    return read_dicom(folder, series, threads, admit, files)


def read_file(path: Path, orientation: str | None = None) -> Image:
    """Read the 3-D scalar image in a file that is not DICOM. See `read`."""
    return _read_file(path, head_of(path), orientation, anything)


def _read_file(path: Path, head: bytes, orientation: str | None, admit: Admit) -> Image:
    if is_nrrd(head):
        from .nrrd import read_nrrd

        return read_nrrd(path, orientation, admit)
    if is_metaimage(head):
        from .metaimage import read_metaimage

        return read_metaimage(path, orientation, admit)
    from .nifti import read_nifti

    image = read_nifti(path, orientation, admit)
    if image is None:
        advice = "give a CT as NIfTI, NRRD, MetaImage or DICOM"
        if path.name.lower().endswith((".img", ".img.gz")):
            advice = "put the header (of the same name, but .hdr) beside it, if it has one"
        raise InputError(f"{path} cannot be read as an image: its format is not known; {advice}.")
    return image
