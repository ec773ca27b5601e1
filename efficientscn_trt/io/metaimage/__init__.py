"""Read MetaImage: a text header (.mha, .mhd), followed by the voxels or naming the files that hold them."""

from __future__ import annotations

from pathlib import Path

from ..image import Image
from ..stored import read_stored
from ..unread import Admit, Unread, anything
from .header import parse
from .place import geometry_of
from .voxels import stored_of

__all__ = ["read_metaimage"]


def read_metaimage(path: Path, orientation: str | None = None, admit: Admit = anything) -> Image:
    """Read the volume whose header is at `path`.

    `orientation` (such as "LPS") is where the axes run if the header does not say it. The axes of the volume
    may be sheared. Raises InputError, and what `admit` raises, before it reads voxels.
    """
    header = parse(path)
    geometry, remarks = geometry_of(header, orientation)
    stored = stored_of(header)
    admit(Unread.in_file(str(path), geometry, stored.hu_dtype, stored.reading))
    array, more = read_stored(stored)
    return Image(array, geometry, "MetaImage", [*remarks, *more])
