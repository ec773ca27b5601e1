"""NIfTI-1, NIfTI-2 and Analyze, compressed and in pairs, against nibabel."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from nibabel.spm2analyze import Spm2AnalyzeHeader
from support.nifti import header_of, load, noise, write, write_pair

from efficientscn_trt.io.signatures import is_zip
from fuzz import mutation
from fuzz.files import one_changed, packed
from fuzz.scans import Reading, check_file

PACKAGES = ("efficientscn_trt.io.nifti", "efficientscn_trt.io")
_GZIP = b"\x1f\x8b"
_MM = {1: 1e3, 3: 1e-3}  # metres and micrometres, which nibabel leaves as they are
_HEADERS = {348: Nifti1Header, 540: Nifti2Header}


def seeds() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        single, compressed = Path(folder, "ct.nii"), Path(folder, "ct.nii.gz")
        for dtype in (np.int16, np.uint8, np.int32, np.float32, np.float64):
            for kind in (Nifti1Header, Nifti2Header):
                for order in "<>":
                    array = noise(dtype=dtype)
                    header = header_of(array, kind=kind, endianness=order)
                    yield write(single, array, header).read_bytes()
        array = noise()
        yield write(compressed, array, header_of(array)).read_bytes()
        yield write(single, array, header_of(array, sform=None, scl_slope=2, scl_inter=-1024)).read_bytes()
        yield write(single, array, header_of(array, qform=None)).read_bytes()
        for each in (Nifti1Header, Nifti2Header, Spm2AnalyzeHeader):
            pair = Path(folder, "ct.hdr")
            write_pair(pair, array, header_of(array, kind=each))
            yield packed({file.name: file.read_bytes() for file in (pair, pair.with_suffix(".img"))})


def mutate(data: bytes, random: Random) -> bytes:
    if random.random() < 0.05 and not is_zip(data):
        return gzip.compress(data, 1, mtime=0)
    return one_changed(data, random, _changed)


def check(data: bytes) -> None:
    check_file(data, "ct.nii.gz" if data.startswith(_GZIP) else "ct.nii", _by_nibabel)


def _changed(content: bytes, random: Random) -> bytes:
    choice = random.random()
    if content.startswith(_GZIP) and choice < 0.7:
        try:
            return gzip.compress(_changed(zlib.decompress(content, 31), random), 1, mtime=0)
        except zlib.error:
            return mutation.raw(content)
    if choice < 0.1:
        return mutation.raw(content)
    if choice < 0.2:
        return mutation.cut(random, content)
    return _field(content, random)


def _field(content: bytes, random: Random) -> bytes:
    """One value in the header is another."""
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for order in orders:
        size = int.from_bytes(content[:4], order)
        kind = _HEADERS.get(size)
        if kind and len(content) >= size:
            header = np.frombuffer(content[:size], kind.template_dtype.newbyteorder(order)).copy()
            name = random.choice(header.dtype.names or ())
            _set(header[name].reshape(-1), random)
            return header.tobytes() + content[size:]
    return mutation.raw(content)


def _set(values: np.ndarray, random: Random) -> None:
    at = random.randrange(len(values))
    if values.dtype.kind in "iuf":
        old = float(values[at])
        wanted = mutation.number(random, old if np.isfinite(old) else 1.0)
        with np.errstate(all="ignore"):
            values[at] = np.float64(wanted).astype(values.dtype)
    else:
        values[at] = mutation.raw(values[at])[: values.dtype.itemsize]


def _by_nibabel(path: Path) -> Reading | None:
    try:
        other = load(path)
    except (HeaderDataError, ValueError) as error:
        if "extension" in str(error) or "read length" in str(error):
            return None  # only nibabel reads extensions
        raise
    if 0 in other.shape[3:]:
        return None  # nibabel reads no voxels
    hu = np.asarray(other.dataobj)
    affine = np.array(other.affine)
    if isinstance(other.header, Nifti1Header):
        affine[:3] *= _MM.get(int(other.header["xyzt_units"]) & 7, 1.0)
    return hu.reshape(hu.shape[:3]), affine
