"""Write an image to disk, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from .atomic import replacing
from .errors import InputError, OutputError
from .nifti import read_header
from .reading import read


def write(image: sitk.Image, target: Path, compression_level: int = -1) -> None:
    """Write `image` to `target`, replacing a file that is there. Raises OutputError.

    What was written is read, for ITK's writers do not tell of every full disk.
    """
    with replacing(target) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True, compressionLevel=compression_level)
        try:
            if header := read_header(temporary):
                header.check_voxels()
            else:
                read(temporary)
        except InputError as error:
            raise OutputError(f"{target} cannot be written whole; the disk may be full.") from error
