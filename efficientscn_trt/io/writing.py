"""Write an image to disk, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import SimpleITK as sitk

from ..errors import InputError, OutputError
from .atomic import check_writable, replacing
from .image_file import read_file
from .nifti import read_header
from .paths import check_name

#: Formats that keep an image in one file, so that a rename replaces all of it.
EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".mha")


def check_output(path: str | os.PathLike[str]) -> None:
    """Refuse a `path` that a label map could not be written to, before any work is done.

    Raises OutputError.
    """
    target = Path(path)
    check_extension(target)
    check_writable(target)


def check_extension(target: Path) -> None:
    """Refuse a name whose extension is not that of a known format. Raises OutputError."""
    check_name(target, OutputError)
    if target.name.lower() in EXTENSIONS:
        raise OutputError(
            f"{target} has no name before its extension; give one, such as labels{target.name}."
        )
    if not target.name.lower().endswith(EXTENSIONS):
        raise OutputError(f"{target} has no known extension, expected one of {', '.join(EXTENSIONS)}.")


def write(image: sitk.Image, target: Path, compression_level: int = -1) -> None:
    """Write `image` to `target`, replacing a file that is there. Raises OutputError.

    The file is read back, because ITK's writers do not report every full disk.
    """
    with replacing(target) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True, compressionLevel=compression_level)
        try:
            if header := read_header(temporary):
                header.check_voxels()
            else:
                read_file(temporary)
        except InputError as error:
            raise OutputError(f"{target} cannot be written whole; the disk may be full.") from error
