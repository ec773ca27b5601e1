"""Where the voxels of a MetaImage are, and how: behind its header, or in files that it names."""

from __future__ import annotations

import numpy as np

from ...errors import InputError
from ..detached import numbered, parts_of
from ..stored import StoredVoxels
from ..wording import excerpt
from .header import LAST, MetaImageHeader

# MET_LONG has 4 bytes, as in MetaIO on every system.
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_RESCALE = {"ElementToIntensityFunctionSlope": 1.0, "ElementToIntensityFunctionOffset": 0.0}


def stored_of(header: MetaImageHeader) -> StoredVoxels:
    """Where the voxels are.

    Raises InputError.
    """
    path, values = header.path, header.values
    kind = excerpt(values["ElementType"])
    if kind not in _TYPES:
        raise InputError(
            f"The header of {path} has the ElementType {kind}, expected one of {', '.join(_TYPES)}."
        )
    for name, neutral in _RESCALE.items():
        if (found := header.numbers(name, count=1) or [neutral]) != [neutral]:
            raise InputError(
                f"The header of {path} has {name} = {found[0]:g}, which other programs ignore, so it is not "
                "clear what its HU are; rescale the voxels and remove it."
            )
    big = header.says("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    dtype = np.dtype(_TYPES[kind]).newbyteorder(">" if big else "<")
    encoding = "zlib" if header.says("CompressedData") else "raw"
    if not header.says("BinaryData") and "BinaryData" in values:
        encoding = "text"
    local = values[LAST].upper() == "LOCAL"
    names = header.listed or ([] if local else numbered(values[LAST], header.size[2]))
    (skip,) = header.numbers("HeaderSize", count=1) or [0.0]
    if skip != int(skip) or skip < -1 or (skip == -1 and encoding != "raw") or (skip > 0 and local):
        raise InputError(
            f"The header of {path} has HeaderSize = {skip:g}, expected 0 (or the number of bytes to leave "
            "out in a file that it names); save it again."
        )
    offset = header.bytes if local else max(int(skip), 0)
    stored = StoredVoxels(parts_of(path, names, header.size, offset=offset), header.size, dtype, encoding)
    return stored.at_the_end() if skip == -1 else stored
