"""Decode the pixels of one frame, in every transfer syntax that CT is stored in.

pydicom decodes what is not compressed. imagecodecs decodes the rest, and lets other threads run meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom import uid
from pydicom.pixels.utils import get_j2k_parameters

from ..wording import by_axis
from .codestreams import jpeg_2000_size, jpeg_size

Decoder = Callable[[bytes, np.dtype, tuple[int, int]], np.ndarray]

_RLE_HEADER = 64  # bytes
_MOST_RUN_LENGTH = 2  # times the pixels' bytes; run lengths need 129/128 at most, and some pad
_END_OF_IMAGE = b"\xff\xd9"


def _check_size(found: tuple[int, int], expected: tuple[int, int]) -> None:
    if found != expected:
        raise ValueError(f"they decode to {by_axis(found[::-1])} pixels")


def _jpeg(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    from imagecodecs import jpeg8_decode

    if not data.rstrip(b"\0").endswith(_END_OF_IMAGE):  # the decoder would invent the rest
        raise ValueError("a JPEG image is cut short")
    _check_size(jpeg_size(data), shape)
    return jpeg8_decode(data)


def _jpeg_ls(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    from imagecodecs import jpegls_decode

    _check_size(jpeg_size(data), shape)
    return jpegls_decode(data)


def _jpeg_2000(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    """Also of high throughput. Some encoders write signed values into an unsigned codestream."""
    from imagecodecs import jpeg2k_decode

    _check_size(jpeg_2000_size(data), shape)
    words = jpeg2k_decode(data)
    if dtype.kind == "u" and words.min() < 0:
        raise ValueError("the header says that values are unsigned, but some are negative")
    if dtype.kind == "i" and words.dtype.kind == "u":
        unused = 8 * words.dtype.itemsize - get_j2k_parameters(data).get(
            "precision", 8 * words.dtype.itemsize
        )
        if unused:  # else the bits stored decide
            words = (words << unused).view(f"i{words.dtype.itemsize}") >> unused
    return words


def _run_length(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    from imagecodecs import dicomrle_decode

    # The decoder trusts this header (PS3.5, G.5): the number of segments, and where each begins.
    if len(data) > _MOST_RUN_LENGTH * dtype.itemsize * shape[0] * shape[1] + _RLE_HEADER:
        raise ValueError("they decode to more than their header describes")
    count, *offsets = np.frombuffer(data, "<u4", 16).tolist()
    begins = offsets[:count]
    if (
        count != dtype.itemsize
        or begins[0] != _RLE_HEADER
        or sorted({*begins}) != begins
        or begins[-1] >= len(data)
    ):
        raise ValueError("the header of a run-length encoded image is wrong")
    return np.frombuffer(dicomrle_decode(data, dtype.str), dtype).reshape(shape)


#: By transfer syntax. Each takes the compressed frame, and the dtype and shape of its pixels.
DECODERS: dict[str, Decoder] = {
    uid.JPEGBaseline8Bit: _jpeg,
    uid.JPEGExtended12Bit: _jpeg,
    uid.JPEGLossless: _jpeg,
    uid.JPEGLosslessSV1: _jpeg,
    uid.JPEGLSLossless: _jpeg_ls,
    uid.JPEGLSNearLossless: _jpeg_ls,
    uid.JPEG2000Lossless: _jpeg_2000,
    uid.JPEG2000: _jpeg_2000,
    uid.HTJ2KLossless: _jpeg_2000,
    uid.HTJ2KLosslessRPCL: _jpeg_2000,
    uid.HTJ2K: _jpeg_2000,
    uid.RLELossless: _run_length,
}

#: Those that keep the bits of each word where they are without compression.
UNMOVED = frozenset({uid.RLELossless})

#: Those that may give other values than were compressed.
LOSSY = frozenset(
    {
        uid.JPEGBaseline8Bit,
        uid.JPEGExtended12Bit,
        uid.JPEGLSNearLossless,
        uid.JPEG2000,
        uid.HTJ2K,
    }
)
