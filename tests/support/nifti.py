"""Make NIfTI and Analyze files, field by field, with nibabel's headers."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spm2analyze import Spm2AnalyzeHeader

AFFINE = np.array([[-1.5, 0, 0, 40], [0, -2, 0, 30], [0, 0, 3, -20], [0, 0, 0, 1.0]])

if TYPE_CHECKING:
    from efficientscn_trt.io.orientation import Geometry

Header = Nifti1Header | Spm2AnalyzeHeader


def noise(shape: tuple[int, int, int] = (7, 5, 6), dtype: Any = np.int16) -> np.ndarray:
    """[x, y, z]"""
    low, high = (0, 200) if np.dtype(dtype).kind == "u" else (-100, 100)
    return np.random.default_rng(1).integers(low, high, shape).astype(dtype)


def header_of(
    array: np.ndarray,
    qform: np.ndarray | None = AFFINE,
    sform: np.ndarray | None = AFFINE,
    kind: type[Header] = Nifti1Header,
    endianness: str = "<",
    **fields: Any,
) -> Header:
    """The header of `array` [x, y, z], with `fields` that it need not agree with."""
    header = kind(endianness=endianness)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    placed = next((form for form in (sform, qform) if form is not None), AFFINE)
    header["pixdim"][1:4] = np.linalg.norm(placed[:3, :3], axis=0)
    if isinstance(header, Nifti1Header):
        header.set_sform(sform, 0 if sform is None else 2)
        header.set_qform(qform, 0 if qform is None else 1)
        header["vox_offset"] = header.single_vox_offset
        header.set_slope_inter(1, 0)
    for name, value in fields.items():
        header[name] = value
    return header


def write(path: Path, array: np.ndarray, header: Header) -> Path:
    """Write one file, compressed if its name ends with .gz. `array` is [x, y, z]."""
    voxels = array.astype(array.dtype.newbyteorder(header.endianness)).tobytes(order="F")
    offset = header.single_vox_offset if isinstance(header, Nifti1Header) else 0
    return write_bytes(path, header.binaryblock.ljust(offset, b"\0") + voxels)


def write_pair(path: Path, array: np.ndarray, header: Header) -> Path:
    """Write two files, of which `path` is the header."""
    if isinstance(header, Nifti2Header):
        header["magic"], header["vox_offset"] = header.pair_magic, 0
    elif isinstance(header, Nifti1Header):
        header["magic"], header["vox_offset"] = b"ni1", 0
    voxels = array.astype(array.dtype.newbyteorder(header.endianness)).tobytes(order="F")
    write_bytes(path.with_name(path.name.replace(".hdr", ".img").replace(".HDR", ".IMG")), voxels)
    return write_bytes(path, header.binaryblock)


def load(path: Path) -> Any:
    """What nibabel reads, whose type says less than it has."""
    return nibabel.load(path)


def write_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content, 1) if path.name.endswith(".gz") else content)
    return path


def affine_of(geometry: Geometry) -> np.ndarray:
    """From indices to mm in RAS, as nibabel has it."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(geometry.direction, (3, 3)) * geometry.spacing
    matrix[:3, 3] = geometry.origin
    return np.diag([-1, -1, 1, 1]) @ matrix


def labels_of(scan: Path, target: Path) -> Path:
    """A label map on the grid of `scan`."""
    from efficientscn_trt.io.reading import read
    from efficientscn_trt.io.writing import write as write_image

    image = read(scan)
    write_image(np.ones(image.array.shape, np.uint8), image.geometry, target)
    return target


def block_nifti(path: Path, **options: Any) -> Path:
    """`support.scans.block_array` in a file, with options of `header_of`."""
    from .scans import block_array

    array = block_array().transpose()
    return write(path, array, header_of(array, **options))
