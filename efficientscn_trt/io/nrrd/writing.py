"""Write a volume as NRRD, placed by the very fields of the scan that it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from isal import igzip

from ..orientation import Geometry

_LEVEL = 2  # of compression
_FLOATS = {"float32": "float", "float64": "double"}


def write_nrrd(array: np.ndarray, geometry: Geometry, path: Path) -> None:
    """Write `array` [z, y, x] to `path`, compressed.

    What a header says about the place is copied letter by letter from that of the scan, if the scan is NRRD.
    Raises OSError.
    """
    place = geometry.header if isinstance(geometry.header, Mapping) else place_of(geometry)
    write_fields(array, geometry, place, path)


def write_fields(
    array: np.ndarray,
    geometry: Geometry,
    place: Mapping[str, str],
    path: Path,
    pairs: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write `array` [z, y, x] to `path`, compressed, with the fields `place`, and keys with values.

    Raises OSError.
    """
    header = {
        "type": _FLOATS.get(array.dtype.name, array.dtype.name),
        "dimension": "3",
        "sizes": _numbers(geometry.size, " "),
        **place,
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": "gzip",
    }
    fields = [f"{name}: {value}\n" for name, value in header.items()]
    fields += [f"{key}:={_escaped(value)}\n" for key, value in pairs.items()]
    text = "".join(["NRRD0005\n", *fields, "\n"])
    with path.open("wb") as file:
        file.write(text.encode())
        with igzip.IGzipFile("", "wb", _LEVEL, file, mtime=0) as stream:
            voxels = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            stream.write(voxels.reshape(-1).view(np.uint8).data)


def place_of(geometry: Geometry) -> dict[str, str]:
    """The fields that say where a volume lies, in LPS."""
    axes = np.reshape(geometry.direction, (3, 3)).T * np.reshape(geometry.spacing, (3, 1))
    return {
        "space": "left-posterior-superior",
        "space directions": " ".join(f"({_numbers(axis, ',')})" for axis in axes),
        "space origin": f"({_numbers(geometry.origin, ',')})",
    }


def _numbers(values: Iterable[float], separator: str) -> str:
    return separator.join(f"{value:.17g}" for value in values)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
