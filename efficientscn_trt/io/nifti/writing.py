"""Write a volume as NIfTI, placed by the very header of the scan that it belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from isal import igzip
from nibabel.analyze import AnalyzeHeader  # the base of all
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from ..orientation import Geometry

_LARGEST = np.iinfo(np.int16).max  # number of voxels along an axis in NIfTI-1
_LEVEL = 2  # of compression
_NO_EXTENSIONS = bytes(4)
_SCANNER = 1  # the code of a form in the scanner's coordinates
_PLACE = (
    *("pixdim", "xyzt_units", "qform_code", "sform_code"),
    *("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("srow_x", "srow_y", "srow_z"),
)


def write_nifti(array: np.ndarray, geometry: Geometry, path: Path, *, compressed: bool) -> None:
    """Write `array` [z, y, x] to `path`, as NIfTI-2 if NIfTI-1 cannot hold it or the scan is NIfTI-2.

    What a header says about the place is copied bit by bit from that of the scan, if the scan is NIfTI.
    Raises OSError.
    """
    source = geometry.header if isinstance(geometry.header, AnalyzeHeader) else None
    large = max(geometry.size) > _LARGEST or isinstance(source, Nifti2Header)
    kind = Nifti2Header if large else Nifti1Header
    header = kind(endianness=source.endianness if source else None)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(geometry.size)
    header.set_slope_inter(1, 0)
    header["vox_offset"] = header.single_vox_offset
    _place(header, geometry, source)
    with path.open("wb") as file:
        stream = igzip.IGzipFile("", "wb", _LEVEL, file, mtime=0) if compressed else file
        with stream:
            stream.write(header.binaryblock)
            stream.write(_NO_EXTENSIONS)
            voxels = np.ascontiguousarray(array, header.get_data_dtype())
            stream.write(voxels.reshape(-1).view(np.uint8).data)


def _place(header: Nifti1Header, geometry: Geometry, source: AnalyzeHeader | None) -> None:
    if isinstance(source, Nifti1Header):
        for name in _PLACE:
            header[name] = source[name]
    elif source is not None:
        header["pixdim"][1:4] = source["pixdim"][1:4]  # Analyze has nothing else
    else:
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(geometry.direction, (3, 3)) * geometry.spacing
        matrix[:3, 3] = geometry.origin
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix  # from LPS to RAS
        header.set_qform(affine, _SCANNER)
        header.set_sform(affine, _SCANNER)
        header.set_xyzt_units("mm")
