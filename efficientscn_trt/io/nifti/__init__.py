"""Read and write NIfTI-1, NIfTI-2 and Analyze: headers by nibabel, gzip by isal.

What the header says is taken as nibabel takes it. Voxels are read in one pass, into the memory that they stay
in.
"""

from __future__ import annotations

from pathlib import Path

from ..image import Image
from ..stored import read_stored
from ..unread import Admit, Unread, anything
from .files import header_at
from .forms import geometry_of
from .writing import write_nifti

__all__ = ["read_nifti", "write_nifti"]


def read_nifti(path: Path, orientation: str | None = None, admit: Admit = anything) -> Image | None:
    """Read the volume at `path`, a file or either file of a pair. None if it is of another format.

    `orientation` (such as "LPS") is where the axes run if the header does not say it. The axes of the volume
    may be sheared. Raises InputError, and what `admit` raises, before it reads voxels.
    """
    header = header_at(path)
    if header is None:
        return None
    geometry, remarks = geometry_of(header, orientation)
    admit(Unread.in_file(str(path), geometry, header.stored.hu_dtype, header.stored.reading))
    array, more = read_stored(header.stored)
    return Image(array, geometry, header.kind, [*remarks, *more])
