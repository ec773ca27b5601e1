"""Read the pixels of frames into one volume of HU.

Source: DICOM PS3.3, C.7.6.3 (Image Pixel) and C.11.1 (Modality LUT: HU = slope × stored value + intercept).
The photometric interpretation does not matter: MONOCHROME1 is about display.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, cast

import numpy as np
from pydicom import DataElement, Dataset, dcmread, uid
from pydicom.encaps import generate_frames
from pydicom.filereader import read_dataset
from pydicom.pixels import get_decoder

from ...errors import InputError
from .codecs import DECODERS
from .files import Instance
from .frames import Frame
from .hu import HuScale
from .storage import Storage


def read_pixels(frames: Sequence[Frame], threads: int) -> tuple[np.ndarray, list[str]]:
    """The HU of `frames`, [frame, row, column], in the smallest dtype that holds all that can be stored.

    Frames must be of one size. Also returns the names of files with bits beyond those that are stored.
    Raises InputError if pixels are missing, cut short, damaged or compressed in an unknown way.
    """
    storages = {frame.instance: Storage.of(frame.instance) for frame in frames}
    scale = HuScale.of(frames, storages)
    columns, rows = frames[0].size
    volume = np.empty((len(frames), rows, columns), scale.dtype)
    members: dict[Instance, list[tuple[int, Frame]]] = {}
    for index, frame in enumerate(frames):
        members.setdefault(frame.instance, []).append((index, frame))
    masked = set()

    def convert(pixels: _Pixels, index: int, frame: Frame) -> None:
        values, changed = storages[frame.instance].values(pixels.decode(frame.index))
        if changed:
            masked.add(frame.instance.file.name)
        scale.apply(values, frame, volume[index])

    def convert_file(instance: Instance) -> None:
        pixels = _Pixels(instance, storages[instance])
        for index, frame in members[instance]:
            convert(pixels, index, frame)

    with ThreadPoolExecutor(threads) as pool:
        if len(members) > 1:
            list(pool.map(convert_file, members))
        else:
            ((instance, of_file),) = members.items()
            pixels = _Pixels(instance, storages[instance])
            list(pool.map(lambda member: convert(pixels, *member), of_file))
    return volume, sorted(masked)


class _Pixels:
    """The pixel data of one file."""

    def __init__(self, instance: Instance, storage: Storage) -> None:
        self._instance = instance
        try:
            self._decode = _decoder(instance, storage)
        except Exception as error:  # pydicom raises errors of many kinds
            raise self._damaged(error) from error

    def decode(self, index: int) -> np.ndarray:
        """The pixels of one frame, [row, column], as they are stored. Raises InputError."""
        header = self._instance.header
        try:
            pixels = self._decode(index)
            if pixels.shape != (header.Rows, header.Columns):
                raise ValueError(f"it decodes to {' × '.join(str(n) for n in pixels.shape[::-1])} pixels")
        except MemoryError:
            raise
        except Exception as error:  # pydicom and the codecs raise errors of many kinds
            raise self._damaged(error) from error
        return pixels

    def _damaged(self, error: Exception) -> InputError:
        if isinstance(error, InputError):
            return error
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        return InputError(
            f"The pixels of {self._instance.file} are missing, cut short or damaged ({reason}); copy the "
            "series again."
        )


def _decoder(instance: Instance, storage: Storage) -> Callable[[int], np.ndarray]:
    """A function from the number of a frame to its pixels."""
    header, syntax = instance.header, _transfer_syntax(instance.header)
    data = _pixel_data(instance, syntax)
    frames = int(header.get("NumberOfFrames") or 1)
    if syntax.is_encapsulated:
        if syntax not in DECODERS:
            raise InputError(
                f"{instance.file} is compressed as {syntax.name}, which is not supported; export the series "
                "uncompressed, or as JPEG 2000."
            )
        offsets = [header.get(f"ExtendedOffsetTable{suffix}") for suffix in ("", "Lengths")]
        table = (offsets[0], offsets[1]) if all(offsets) else None
        parts = list(generate_frames(data.value, number_of_frames=frames, extended_offsets=table))
        return lambda index: DECODERS[syntax](parts[index], storage.dtype, (header.Rows, header.Columns))
    decoder = get_decoder(syntax)
    options = {
        "rows": header.Rows,
        "columns": header.Columns,
        "number_of_frames": frames,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": storage.allocated,
        "bits_stored": storage.stored,
        "pixel_representation": int(storage.signed),
        "pixel_keyword": "PixelData",
        "pixel_vr": data.VR,
        "correct_unused_bits": False,  # `Storage.values` does, and reports it
    }
    return lambda index: decoder.as_array(data.value, raw=True, index=index, **options)[0]


def _pixel_data(instance: Instance, syntax: uid.UID) -> DataElement:
    with instance.file.open("rb") as stream:
        if syntax == uid.DeflatedExplicitVRLittleEndian:
            dataset: Dataset = dcmread(stream)
        else:
            stream.seek(instance.end_of_header)
            dataset = read_dataset(cast(BinaryIO, stream), *instance.header.original_encoding)
    if "PixelData" not in dataset:
        raise ValueError("there are none")
    return dataset["PixelData"]


def _transfer_syntax(header: Dataset) -> uid.UID:
    """The transfer syntax, or what pydicom recognised in a file that does not name it."""
    named = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    if named:
        return named
    implicit, little_endian = header.original_encoding
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little_endian else uid.ExplicitVRBigEndian
