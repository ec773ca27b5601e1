"""Read and write NRRD: the grammar of its header by pynrrd.

A file may be attached to its header, or the header names one or several.
"""

from __future__ import annotations

from pathlib import Path

from ..image import Image
from ..stored import read_stored
from ..unread import Admit, Unread, anything
from .header import parse
from .place import geometry_of
from .segmentation import write_segmentation
from .writing import write_nrrd

__all__ = ["read_nrrd", "write_nrrd", "write_segmentation"]


def read_nrrd(path: Path, orientation: str | None = None, admit: Admit = anything) -> Image:
    """Read the volume whose header is at `path`.

    `orientation` (such as "LPS") is where the axes run if the header does not say it. The axes of the volume
    may be sheared. Raises InputError, and what `admit` raises, before it reads voxels.
    """
    header = parse(path)
    geometry, remarks = geometry_of(header, orientation)
    admit(Unread.in_file(str(path), geometry, header.stored.hu_dtype, header.stored.reading))
    array, more = read_stored(header.stored)
    return Image(array, geometry, "NRRD", [*remarks, *more])
