"""Make NRRD and MetaImage files, field by field. What is read is then what these fields mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

if TYPE_CHECKING:
    from efficientscn_trt.io.orientation import Geometry

NRRD = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "7 5 6",
    "space directions": "(1.5,0,0) (0,2,0) (0,0,3)",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(-40,-30,-20)",
}
#: Changes that leave NRRD without directions.
NO_PLACE = {"space": None, "space directions": None, "space origin": None}
METAIMAGE = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "-40 -30 -20",
    "ElementSpacing": "1.5 2 3",
    "DimSize": "7 5 6",
    "ElementType": "MET_SHORT",
}
#: [z, y, x], of the size that the headers above have.
VOXELS = np.random.default_rng(1).integers(-1000, 1000, (6, 5, 7)).astype("<i2")


def _changed(fields: dict[str, str], changes: dict[str, Any]) -> dict[str, str]:
    """Without the fields that become None."""
    return {name: str(value) for name, value in {**fields, **changes}.items() if value is not None}


def write_nrrd(path: Path, changes: dict[str, Any] | None = None, voxels: bytes | None = None) -> Path:
    """NRRD with fields that differ from those above. `voxels` come behind the header."""
    fields = _changed(NRRD, changes or {})
    header = "".join(["NRRD0005\n", *(f"{name}: {value}\n" for name, value in fields.items()), "\n"])
    path.write_bytes(header.encode() + (VOXELS.tobytes() if voxels is None else voxels))
    return path


def write_metaimage(path: Path, changes: dict[str, Any] | None = None, voxels: bytes | None = None) -> Path:
    """As `write_nrrd`, but MetaImage."""
    fields = _changed(METAIMAGE, changes or {})
    last = fields.pop("ElementDataFile", "LOCAL")
    lines = [f"{name} = {value}\n" for name, value in fields.items()] + [f"ElementDataFile = {last}\n"]
    path.write_bytes("".join(lines).encode() + (VOXELS.tobytes() if voxels is None else voxels))
    return path


def by_sitk(path: Path) -> Any:
    """Where SimpleITK lays the file: size, origin, and the matrix [3, 3] from voxels to mm."""
    image = sitk.ReadImage(str(path))
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    return image.GetSize(), image.GetOrigin(), axes


def place_of(geometry: Geometry) -> Any:
    """As `by_sitk`."""
    return geometry.size, geometry.origin, np.reshape(geometry.direction, (3, 3)) * geometry.spacing


def assert_same_place(found: Any, expected: Any, tolerance: float = 0.0) -> None:
    """Compare two results of `by_sitk`."""
    assert found[0] == expected[0]
    np.testing.assert_allclose(found[1], expected[1], rtol=0, atol=tolerance)
    np.testing.assert_allclose(found[2], expected[2], rtol=0, atol=tolerance)


def damaged(path: Path, position: int, value: bytes, lost: int) -> Path:
    """The file, in which `value` stands for so many bytes."""
    content = path.read_bytes()
    path.write_bytes(content[:position] + value + content[position + lost :])
    return path


def assert_read_or_refused(path: Path) -> None:
    """There is no other exception, and a refusal names the file."""
    from efficientscn_trt import InputError
    from efficientscn_trt.io.reading import read

    try:
        read(path)
    except InputError as error:
        assert str(path.parent) in str(error)
