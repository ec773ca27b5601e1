"""Read MetaImage: a text header (.mha, .mhd), followed by the voxels or naming the files that hold them."""

from __future__ import annotations

from pathlib import Path

from ..image import Image
from ..stored import read_stored
from .header import parse
from .place import geometry_of
from .voxels import stored_of

__all__ = ["read_metaimage"]


def read_metaimage(path: Path, orientation: str | None = None) -> Image:
    """Read the volume whose header is at `path`.

    `orientation` (such as "LPS") is where the axes run if the header does not say it. The axes of the volume
    may be sheared. Raises InputError.
    """
    header = parse(path)
    geometry, remarks = geometry_of(header, orientation)
    array, more = read_stored(stored_of(header))
    return Image(array, geometry, [*remarks, *more])
