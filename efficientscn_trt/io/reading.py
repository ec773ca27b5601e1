"""Read a scan from disk: an image file of any format that SimpleITK reads, or a folder of DICOM slices."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from ..errors import InputError
from .dicom import read_series
from .image_file import read_file
from .paths import is_there


def read(path: Path) -> tuple[sitk.Image, list[str]]:
    """Read the 3-D scalar image at `path`. Returns it, and warnings about it.

    Raises InputError.
    """
    if not is_there(path, InputError):
        raise InputError(f"There is no file or folder {path}.")
    return read_series(path) if path.is_dir() else read_file(path)
