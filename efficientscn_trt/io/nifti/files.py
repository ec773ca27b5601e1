"""Find the header and the voxels of a NIfTI or Analyze volume, which may be in two files."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...errors import InputError
from ..paths import not_a_file
from ..streams import encoding_of, opened
from .header import NIFTI_1, NIFTI_2, NiftiHeader, parse

_HALF = re.compile(r"(?P<stem>.+)\.(?P<half>hdr|img)(?P<gz>\.gz)?", re.IGNORECASE | re.DOTALL)


def header_at(path: Path) -> NiftiHeader | None:
    """The header of the volume at `path`. None if the file is of another format.

    Raises InputError.
    """
    header_file = _other_half(path, "img", "hdr")
    if header_file:
        voxel_file = path
    else:
        header_file, voxel_file = path, _other_half(path, "hdr", "img") or path
    with opened(header_file, encoding_of(header_file)) as stream:
        head = stream.read(NIFTI_1)
        if int.from_bytes(head[:4], "little") == NIFTI_2 or int.from_bytes(head[:4], "big") == NIFTI_2:
            head += stream.read(NIFTI_2 - NIFTI_1)
    return parse(head, header_file, voxel_file)


def _other_half(path: Path, half: str, other: str) -> Path | None:
    """The file beside `path`, named as the `half` of a pair, that is named as its `other` half.

    Raises InputError.
    """
    name = _HALF.fullmatch(path.name)
    if name is None or name["half"].lower() != half:
        return None
    if name["half"].isupper():
        other = other.upper()
    endings = dict.fromkeys([name["gz"] or "", "", ".gz", ".GZ"])  # the same first
    beside = [path.with_name(f"{name['stem']}.{other}{ending}") for ending in endings]
    found = next((file for file in beside if os.path.exists(file) and not os.path.isdir(file)), None)
    if found and (fault := not_a_file(found)):
        raise InputError(f"{found}, which belongs to {path.name}, {fault}, expected a file.")
    return found
