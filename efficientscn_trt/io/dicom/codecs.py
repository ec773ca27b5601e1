"""Decode the pixels of one frame, in every transfer syntax that CT is stored in.

pydicom decodes what is not compressed. imagecodecs decodes the rest, and lets other threads run meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom import uid

from ...errors import InputError

Decoder = Callable[[bytes, np.dtype, tuple[int, int]], np.ndarray]

_END_OF_IMAGE = b"\xff\xd9"


def _jpeg(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    from imagecodecs import jpeg8_decode

    return jpeg8_decode(_whole(data))


def _jpeg_ls(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    from imagecodecs import jpegls_decode

    return jpegls_decode(data)


def _jpeg_2000(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    from imagecodecs import jpeg2k_decode

    return jpeg2k_decode(data)


def _high_throughput_jpeg_2000(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    try:
        from imagecodecs import htj2k_decode
    except ImportError as error:
        raise InputError(
            "High-Throughput JPEG 2000 needs imagecodecs 2026.3 or newer, and Python 3.11 or newer; install "
            "them, or export the series as JPEG 2000."
        ) from error

    return htj2k_decode(_whole(data))


def _run_length(data: bytes, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    from imagecodecs import dicomrle_decode

    return np.frombuffer(dicomrle_decode(data, dtype.str), dtype).reshape(shape)


def _whole(data: bytes) -> bytes:
    """`data`, unless it is cut short: these decoders would invent the rest. Raises ValueError."""
    if not data.rstrip(b"\0").endswith(_END_OF_IMAGE):
        raise ValueError("the compressed image is cut short")
    return data


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
    uid.HTJ2KLossless: _high_throughput_jpeg_2000,
    uid.HTJ2KLosslessRPCL: _high_throughput_jpeg_2000,
    uid.HTJ2K: _high_throughput_jpeg_2000,
    uid.RLELossless: _run_length,
}
