"""Files of the deflated transfer syntax, inflated to no more than is needed.

Source: DICOM PS3.5, A.5, and PS3.10, 7.1. The stream has no checksum.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from pydicom import uid

from .archives import Member

MOST_HEADER = 64 << 20
_DEFLATED = str(uid.DeflatedExplicitVRLittleEndian).encode()
_PLAIN = str(uid.ExplicitVRLittleEndian).encode().ljust(len(_DEFLATED), b"\0")
_LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT")  # value representations with a length of 32 bits


@dataclass(frozen=True)
class Deflated:
    """A deflated file that reads as the same file without compression."""

    file: Path | Member

    @property
    def name(self) -> str:
        """Its name without its folders."""
        return self.file.name

    def open(self, mode: str = "rb", most: int = MOST_HEADER) -> IO[bytes]:
        """Open it to be read, cut off where more than `most` bytes were deflated. Raises zlib.error."""
        with self.file.open("rb") as stream:
            content = stream.read()
        end = _end_of_meta(content)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        dataset = inflater.decompress(content[end:], most)
        if not inflater.eof and len(dataset) < most:
            raise zlib.error("the deflated data set is cut short")
        return BytesIO(content[:end].replace(_DEFLATED, _PLAIN) + dataset)

    def __str__(self) -> str:
        return str(self.file)


def is_deflated(head: bytes) -> bool:
    """Whether a DICOM file that begins with `head` is deflated."""
    return _DEFLATED in head[: _end_of_meta(head)]


def _end_of_meta(content: bytes) -> int:
    """Where the file meta information ends: elements of group 2 with explicit value representations."""
    place = 132
    while content[place : place + 2] == b"\2\0":
        if content[place + 4 : place + 6] in _LONG:
            place += 12 + int.from_bytes(content[place + 8 : place + 12], "little")
        else:
            place += 8 + int.from_bytes(content[place + 6 : place + 8], "little")
    return place
