"""The header of a NIfTI or Analyze volume, as nibabel understands it, with checks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from nibabel.spm2analyze import Spm2AnalyzeHeader

from ...errors import InputError
from ...triples import Size
from ..plausibility import check_shape
from ..stored import Part, StoredVoxels
from ..streams import encoding_of

#: The sizes of headers, in bytes.
NIFTI_1, NIFTI_2 = 348, 540

Fields = Spm2AnalyzeHeader | Nifti1Header  # the second is also the base of Nifti2Header

_COLOURS = {128: 3, 2304: 4}  # values per voxel, by the code of the data type
_ABSENT = (0, 1)  # sizes of dimensions that are not used
_MAGIC = re.compile(rb"n[i+][0-9]")
_END_OF_LINES = (13, 10, 26, 10)  # in NIfTI-2, to notice a transfer as text


@dataclass(frozen=True)
class NiftiHeader:
    """A checked header.

    `fields` is nibabel's. The header file is also that of the `stored` voxels, unless there is a pair.
    """

    header_file: Path
    fields: Fields
    stored: StoredVoxels

    @property
    def kind(self) -> str:
        """The format's name."""
        return "NIfTI" if isinstance(self.fields, Nifti1Header) else "Analyze"

    @property
    def size(self) -> Size:
        """(x, y, z) in voxels."""
        return self.stored.size

    @property
    def pixdim(self) -> np.ndarray:
        """The spacing (x, y, z) that the field pixdim has, without signs, in the unit of the header."""
        return np.abs(np.array(self.fields["pixdim"][1:4], np.float64))


def parse(head: bytes, header_file: Path, voxel_file: Path) -> NiftiHeader | None:
    """The header in the first bytes of `header_file`. None if that is of another format.

    Raises InputError if the header does not describe one volume with one value per voxel.
    """
    kind = _kind_of(head)
    if kind is None:
        return None
    fields = kind(head[: kind.sizeof_hdr], check=False)
    _check_magic(fields, head, header_file)
    size = _size(fields, header_file)
    _check_whole(fields, header_file, voxel_file)
    slope, intercept = _rescale(fields, header_file)
    stored = StoredVoxels(
        (Part(voxel_file),),
        size,
        _dtype(fields, header_file),
        encoding_of(voxel_file),
        _offset(fields, header_file, voxel_file),
        slope,
        intercept,
    )
    return NiftiHeader(header_file, fields, stored)


def _kind_of(head: bytes) -> type[Spm2AnalyzeHeader] | type[Nifti1Header] | None:
    return next(
        (kind for kind in (Nifti1Header, Nifti2Header, Spm2AnalyzeHeader) if kind.may_contain_header(head)),
        None,
    )


def _check_magic(fields: Fields, head: bytes, path: Path) -> None:
    """Refuse the marks of a format that are damaged, or of a NIfTI that does not exist."""
    magic = fields["magic"].item() if isinstance(fields, Nifti1Header) else head[344:347]
    if isinstance(fields, Nifti2Header):
        odd = magic not in (fields.single_magic, fields.pair_magic)
        odd = odd or tuple(fields["eol_check"]) not in (_END_OF_LINES, (0, 0, 0, 0))
    else:
        odd = not isinstance(fields, Nifti1Header) and _MAGIC.match(magic) is not None
    if odd:
        raise InputError(
            f"The header of {path} is damaged, or was sent as text (its magic is {magic!r}); copy or "
            "download it again, as a binary file."
        )


def _check_whole(fields: Fields, header_file: Path, voxel_file: Path) -> None:
    """Refuse the header of a pair without its voxels. A single file may call itself one, by its magic."""
    single = isinstance(fields, Nifti1Header) and (
        fields["magic"].item() == fields.single_magic or fields["vox_offset"] >= fields.single_vox_offset
    )
    if header_file == voxel_file and not single:
        raise InputError(
            f"{header_file} is the header of a pair, but the file with its voxels (of the same name, but "
            ".img) is not beside it; put both into one folder, or copy it again if it should be one file."
        )


def _size(fields: Fields, path: Path) -> Size:
    count, *sizes = (int(n) for n in fields["dim"])
    if not 1 <= count <= 7:
        raise InputError(f"The header of {path} announces {count} dimensions, expected 3; save it again.")
    sizes = sizes[:count]
    while len(sizes) > 3 and sizes[-1] in _ABSENT:
        sizes.pop()
    components = _COLOURS.get(int(fields["datatype"]), 1)
    if len(sizes) == 5 and sizes[3] in _ABSENT:  # a vector image
        components, sizes = components * sizes[4], sizes[:3]
    check_shape(str(path), sizes, components)
    x, y, z = sizes
    return x, y, z


def _dtype(fields: Fields, path: Path) -> np.dtype:
    code = int(fields["datatype"])
    try:
        dtype = np.dtype(fields.get_data_dtype())
    except (HeaderDataError, KeyError):
        dtype = np.dtype(np.void)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise InputError(
            f"{path} has voxels of the NIfTI data type {code} ({dtype.name}), expected whole numbers or "
            "floats of up to 64 bits (HU)."
        )
    return dtype


def _offset(fields: Fields, header_file: Path, voxel_file: Path) -> int:
    offset, single = float(fields["vox_offset"]), header_file == voxel_file
    least = fields.single_vox_offset if single and isinstance(fields, Nifti1Header) else 0
    if math.isfinite(offset) and offset == int(offset) >= least:
        return int(offset)
    raise InputError(
        f"{header_file} says that its voxels begin at byte {offset:.9g}, expected a whole number of {least} "
        "or more; save it again."
    )


def _rescale(fields: Fields, path: Path) -> tuple[float, float]:
    """A slope of 0 or one that is not finite means that there is no rescaling, whatever the intercept is."""
    try:
        with np.errstate(all="ignore"):  # Analyze's slope may come from differences
            slope, intercept = fields.get_slope_inter()
        if not math.isfinite(slope or 0) or not math.isfinite(intercept or 0):
            raise HeaderDataError
    except HeaderDataError as error:
        raise InputError(
            f"{path} has the rescale slope {float(fields['scl_slope']):g} and the intercept "
            f"{float(fields['scl_inter']):g}, expected numbers; save it again."
        ) from error
    return (1.0, 0.0) if slope is None else (float(slope), float(intercept or 0))
