"""Read a scan from disk: DICOM by pydicom, all else by SimpleITK."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from .image import Image, from_sitk
from .image_file import read_file
from .paths import is_there
from .signatures import head_of, is_dicom, is_zip


def read(path: Path, series: str | None = None, threads: int = 0) -> Image:
    """Read the 3-D scalar image at `path`.

    `path`: an image file, or one DICOM series, in any form that `read_dicom` reads. `series` is the UID of
    the DICOM series to read, if there are several. `threads` is 0 for all cores.
    Raises InputError.
    """
    if not is_there(path, InputError):
        raise InputError(f"There is no file or folder {path}.")
    if not path.is_dir() and not path.is_file():
        raise InputError(
            f"{path} is a pipe or a device, expected a file or a folder; save the scan as a file."
        )
    if path.is_dir() or is_dicom(head := head_of(path)) or is_zip(head):
        from .dicom import read_dicom

        return read_dicom(path, series, threads)
    if series is not None:
        raise InputError(f"A DICOM series was chosen, but {path} is no DICOM file or folder; leave it out.")
    image, warnings = read_file(path)
    return from_sitk(image, str(path), warnings)
