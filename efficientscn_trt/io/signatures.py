"""Recognise formats by the first bytes of a file, whatever its name is."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InputError
from .wording import system_reason

#: The number of bytes that the functions need.
HEAD = 4096

_MAGIC_OF_NRRD = re.compile(rb"NRRD00(?:\d\d|\.01)")
# Lines of a name and a value, before the one that says how many dimensions or voxels there are.
_METAIMAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[^=:\n\0]*[=:][^\n]*\n|[ \t\r]*\n)*?(?:NDims|DimSize)[ \t]*[=:]"
)
# The first element of a DICOM file without a preamble: group 2 or 8, then a value representation or a length.
_BARE = re.compile(
    rb"(?:[\x02\x08]\0[\x00-\x20]\0|\0\x08\0[\x00-\x20])"
    rb"(?:AE|AS|CS|DA|DS|DT|IS|LO|LT|OB|OW|PN|SH|SQ|ST|TM|UI|UL|UN|US|UT|[\x00-\x7f]\0\0\0)",
    re.DOTALL,
)


def head_of(path: Path) -> bytes:
    """The first bytes of a file. Raises InputError."""
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {system_reason(error)}.") from error


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins with `head` is DICOM, with or without a preamble."""
    return head[128:132] == b"DICM" or bool(_BARE.match(head))


def is_zip(head: bytes) -> bool:
    """Whether a file that begins with `head` is a zip archive."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))  # the second is an empty one


def is_nrrd(head: bytes) -> bool:
    """Whether a file that begins with `head` is NRRD, or its header."""
    return _MAGIC_OF_NRRD.match(head) is not None


def is_metaimage(head: bytes) -> bool:
    """Whether a file that begins with `head` is a MetaImage, or its header."""
    return _METAIMAGE.match(head) is not None
