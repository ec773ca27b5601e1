"""Find the header and the voxels of a NIfTI or Analyze volume, which may be in two files, and open them."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip
from isal.igzip_lib import IsalError

from ...errors import InputError
from ..paths import is_there
from ..wording import system_reason
from .header import NIFTI_1, NIFTI_2, NiftiHeader, parse

_GZIP_ERRORS = (EOFError, gzip.BadGzipFile, cast("type[Exception]", IsalError))
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
    with opened(header_file) as stream:
        head = stream.read(NIFTI_1)
        if int.from_bytes(head[:4], "little") == NIFTI_2 or int.from_bytes(head[:4], "big") == NIFTI_2:
            head += stream.read(NIFTI_2 - NIFTI_1)
    return parse(head, header_file, voxel_file)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, which may be compressed by gzip, whatever its name is.

    Raises InputError, also where the block reads damaged ones.
    """
    is_there(path, InputError)
    try:
        with cast(BinaryIO, igzip.open(path, "rb")) if _is_gzip(path) else path.open("rb") as stream:
            yield stream
    except _GZIP_ERRORS as error:
        raise InputError(
            f"{path} is damaged or cut short (gzip: {error}); copy or download it again."
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {system_reason(error)}.") from error


def _is_gzip(path: Path) -> bool:
    """Whether a file is compressed by gzip."""
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _other_half(path: Path, half: str, other: str) -> Path | None:
    """The file beside `path`, named as the `half` of a pair, that is named as its `other` half."""
    name = _HALF.fullmatch(path.name)
    if name is None or name["half"].lower() != half:
        return None
    if name["half"].isupper():
        other = other.upper()
    endings = dict.fromkeys([name["gz"] or "", "", ".gz", ".GZ"])  # the same first
    beside = [path.with_name(f"{name['stem']}.{other}{ending}") for ending in endings]
    return next((file for file in beside if os.path.isfile(file)), None)
