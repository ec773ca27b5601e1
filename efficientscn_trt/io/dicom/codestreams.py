"""The size that a compressed image announces, read before memory is taken for it.

Sources: ITU-T T.81, B.2.2 (JPEG), T.87, C.2.2 (JPEG-LS), T.800, A.5.1 (JPEG 2000).
"""

from __future__ import annotations

_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_CODESTREAM = b"\xff\x4f\xff\x51"  # of JPEG 2000: start, then size


def jpeg_size(data: bytes) -> tuple[int, int]:
    """(rows, columns) of a JPEG or JPEG-LS image. Raises ValueError."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _START_OF_FRAME:
            return _number(data, place + 5, 2), _number(data, place + 7, 2)
        if marker == 0xFF:  # fill
            place += 1
        else:
            place += 2 if marker in _ALONE else 2 + _number(data, place + 2, 2)
    raise ValueError("a JPEG image does not say its size")


def jpeg_2000_size(data: bytes) -> tuple[int, int]:
    """(rows, columns) of a JPEG 2000 image. Raises ValueError."""
    place = data.find(_CODESTREAM)
    if place < 0 or len(data) < place + 24:
        raise ValueError("a JPEG 2000 image does not say its size")
    right, bottom, left, top = (_number(data, place + 8 + 4 * index, 4) for index in range(4))
    return bottom - top, right - left


def _number(data: bytes, place: int, size: int) -> int:
    return int.from_bytes(data[place : place + size], "big")
