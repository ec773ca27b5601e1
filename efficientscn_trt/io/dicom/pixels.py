"""Read the pixels of frames into one volume of HU.

Source: DICOM PS3.3, C.7.6.3 (Image Pixel) and C.11.1 (Modality LUT: HU = slope × stored value + intercept).
The photometric interpretation does not matter: MONOCHROME1 is about display.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum
from io import BytesIO
from typing import Any, BinaryIO, cast

import numpy as np
from pydicom import DataElement
from pydicom.encaps import generate_fragments, generate_frames, parse_basic_offsets
from pydicom.filereader import read_dataset
from pydicom.pixels import get_decoder

from ...errors import InputError
from ..streams import CHUNK
from ..wording import by_axis, excerpt
from .archives import Member
from .codecs import DECODERS, UNMOVED
from .deflated import MOST_HEADER, Deflated
from .elements import transfer_syntax
from .files import Instance
from .frames import Frame, frame_count
from .storage import Storage
from .stored import MOST_PADDING, UNCOMPRESSED, StoredPixels, described_bytes

_PIXEL_DATA = 0x7FE00008  # the first of the tags that have pixels


class Remark(Enum):
    """What is odd about the pixels of a file, but does not change their values."""

    OTHER_BITS = "bits beyond those that are stored"
    OTHER_BYTES = "bytes behind the last pixel"


Remarks = dict[Remark, set[str]]
Decoded = tuple[np.ndarray, list[Remark]]


def read_pixels(pixels: StoredPixels, threads: int) -> tuple[np.ndarray, Remarks]:
    """The HU [frame, row, column]. Also returns the names of the files for each remark.

    Raises InputError if pixels are missing, cut short, damaged or compressed in an unknown way.
    """
    frames, storages, scale = pixels.frames, pixels.storages, pixels.scale
    columns, rows = frames[0].size
    volume = np.empty((len(frames), rows, columns), scale.dtype)
    members: dict[Instance, list[tuple[int, Frame]]] = {}
    for index, frame in enumerate(frames):
        members.setdefault(frame.instance, []).append((index, frame))
    remarks: Remarks = {remark: set() for remark in Remark}

    def convert(file: _File, index: int, frame: Frame) -> None:
        values, odd = file.values(frame.index)
        for remark in odd:
            remarks[remark].add(frame.file)
        scale.apply(values, frame, volume[index])

    def convert_file(instance: Instance) -> None:
        file = _File(instance, storages[instance], (rows, columns))
        for index, frame in members[instance]:
            convert(file, index, frame)

    with ThreadPoolExecutor(threads) as pool:
        if len(members) > 1:
            list(pool.map(convert_file, members))
        else:
            ((instance, of_file),) = members.items()
            file = _File(instance, storages[instance], (rows, columns))
            list(pool.map(lambda member: convert(file, *member), of_file))
    return volume, remarks


class _File:
    """The pixel data of one file."""

    def __init__(self, instance: Instance, storage: Storage, shape: tuple[int, int]) -> None:
        self._instance, self._shape = instance, shape
        with self._damage_named():
            self._decode = _decoder(instance, storage, shape)

    def values(self, index: int) -> Decoded:
        """The values of one frame, [row, column], and remarks. Raises InputError."""
        with self._damage_named():
            values, odd = self._decode(index)
            if values.shape != self._shape:
                raise ValueError(f"they decode to {by_axis(values.shape[::-1])} pixels")
        return values, odd

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except (InputError, MemoryError):
            raise
        except Exception as error:  # pydicom and the codecs raise errors of many kinds
            reason = excerpt(str(error)).rstrip(".") or type(error).__name__
            raise InputError(
                f"The pixels of {self._instance.file} are missing, cut short or damaged ({reason}); copy the "
                "series again."
            ) from error


def _decoder(instance: Instance, storage: Storage, shape: tuple[int, int]) -> Callable[[int], Decoded]:
    """A function from the number of a frame to its values and remarks."""
    header, syntax = instance.header, transfer_syntax(instance.header)
    if syntax not in DECODERS and syntax not in UNCOMPRESSED:
        raise InputError(
            f"{instance.file} has the transfer syntax {excerpt(syntax.name)}, which is not supported; "
            "export the series uncompressed, or as JPEG 2000."
        )
    frames = frame_count(header)
    described = described_bytes(instance, storage, shape[0] * shape[1])
    data = _pixel_data(instance, described)
    if syntax in DECODERS:
        parts = _compressed_frames(data.value, frames)
        decode, values_of = DECODERS[syntax], storage.values if syntax in UNMOVED else storage.decompressed

        def decompressed(index: int) -> Decoded:
            values, masked = values_of(decode(parts[index], storage.dtype, shape))
            return values, [Remark.OTHER_BITS] * masked

        return decompressed
    if data.is_undefined_length:
        raise ValueError("they are compressed, but the transfer syntax says that they are not")
    if len(data.value) > described * (1 + MOST_PADDING) + 1:
        raise ValueError(f"they have {len(data.value):,} bytes, but their header describes {described:,}")
    decoder = get_decoder(syntax)
    options: dict[str, Any] = {
        "rows": shape[0],
        "columns": shape[1],
        "number_of_frames": frames,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": storage.allocated,
        "bits_stored": storage.stored,
        "pixel_representation": int(storage.signed),
        "pixel_keyword": "PixelData",
        "pixel_vr": data.VR,
        "correct_unused_bits": False,  # `Storage` does, and reports it
    }
    padded = len(data.value) > described + described % 2

    def decoded(index: int) -> Decoded:
        values, masked = storage.values(decoder.as_array(data.value, raw=True, index=index, **options)[0])
        return values, [Remark.OTHER_BITS] * masked + [Remark.OTHER_BYTES] * padded

    return decoded


def _compressed_frames(data: bytes, count: int) -> list[bytes]:
    """The compressed frames, which are in one or more fragments each."""
    if count == 1:  # whatever the offset table says
        stream = BytesIO(data)
        parse_basic_offsets(stream)
        return [b"".join(generate_fragments(stream))]
    frames = list(generate_frames(data, number_of_frames=count))
    if len(frames) != count:
        raise ValueError(f"there are {len(frames)} frames, but their header announces {count}")
    return frames


def _refuse_header(tag: int, *_: object) -> bool:
    if tag < _PIXEL_DATA:
        raise ValueError("elements of the header come after them")
    return False


def _pixel_data(instance: Instance, described: int) -> DataElement:
    file = instance.file
    if isinstance(file, Member):
        file.check()
    most = int(described * (1 + MOST_PADDING)) + MOST_HEADER
    with file.open("rb", most) if isinstance(file, Deflated) else file.open("rb") as stream:
        stream.seek(instance.end_of_header)
        implicit, little_endian = instance.header.original_encoding
        source = cast(BinaryIO, stream)
        dataset = read_dataset(source, bool(implicit), bool(little_endian), stop_when=_refuse_header)
        while stream.read(CHUNK):  # to the end, where zip archives have a checksum
            pass
    if "PixelData" not in dataset:
        raise ValueError("there is no pixel data element")
    if not dataset["PixelData"].value:
        raise ValueError("the pixel data element is empty")
    return dataset["PixelData"]
