"""Files that are not CT volumes, as users may have them."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .scans import block_array, block_image

_MHA = """ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
CompressedData = False
ElementSpacing = {spacing}
DimSize = {size}
ElementType = MET_SHORT
ElementDataFile = LOCAL
"""


def _missing(folder: Path) -> Path:
    return folder / "nowhere.nii.gz"


def _text(folder: Path) -> Path:
    path = folder / "notes.nii.gz"
    path.write_text("not an image")
    return path


def _no_bytes(folder: Path) -> Path:
    path = folder / "zero.nii.gz"
    path.touch()
    return path


def _write(name: str, image: Callable[[], sitk.Image]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        sitk.WriteImage(image(), str(path))
        return path

    return make


def _cut(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = _write(name, block_image)(folder)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        return path

    return make


def _flipped_bit(folder: Path) -> Path:
    """A gzip file whose stream decodes to another value, which only the checksum shows."""
    path = folder / "bit.nii.gz"
    plain = _write("bit.nii", block_image)(folder)
    content = bytearray(gzip.compress(plain.read_bytes(), compresslevel=0))
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    return path


def _nifti_spacing(spacing: Sequence[float]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = _write("spacing.nii", block_image)(folder)
        content = bytearray(path.read_bytes())
        struct.pack_into("<3f", content, 80, *spacing)
        struct.pack_into("<h", content, 254, 0)  # no sform, which would have a spacing too
        path.with_suffix(".nii.gz").write_bytes(gzip.compress(content))
        return path.with_suffix(".nii.gz")

    return make


def _nifti_offset(offset: float) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = _write("offset.nii", block_image)(folder)
        content = bytearray(path.read_bytes())
        struct.pack_into("<f", content, 108, offset)
        path.with_suffix(".nii.gz").write_bytes(gzip.compress(content))
        return path.with_suffix(".nii.gz")

    return make


def _mha(spacing: str = "1 1 2", size: str = "57 45 34") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "ct.mha"
        header = _MHA.format(spacing=spacing, size=size).encode()
        path.write_bytes(header + (b"" if " 0 " in f" {size} " else block_array().tobytes()))
        return path

    return make


def _image(array: np.ndarray, vector: bool = False) -> Callable[[], sitk.Image]:
    def make() -> sitk.Image:
        image = sitk.GetImageFromArray(array, isVector=vector)
        image.SetSpacing((3.0,) * image.GetDimension())
        return image

    return make


def _with(value: float, voxels: int = 1) -> Callable[[], sitk.Image]:
    array = block_array(np.float32)
    array.ravel()[:voxels] = value
    return _image(array)


def _empty_folder(folder: Path) -> Path:
    path = folder / "slices"
    path.mkdir()
    return path


_BLOCK = block_array()

#: By kind of file: the function that makes it in a folder, and what the message must match.
BAD_SCANS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (_missing, r"There is no file or folder .*nowhere\.nii\.gz"),
    "text": (
        _text,
        r"notes\.nii\.gz cannot be read as an image: its format is not known; give",
    ),
    "name too long": (
        lambda folder: folder / f"{'ct' * 200}.nii",
        r"ctct\.nii cannot be read: file name too long",
    ),
    "no bytes": (_no_bytes, r"zero\.nii\.gz cannot be read as an image: "),
    "folder without DICOM": (
        _empty_folder,
        r"slices has no DICOM files; give a folder with the slices",
    ),
    "truncated gzip": (_cut("ct.nii.gz"), r"ct\.nii\.gz is damaged or cut short .*copy or download it again"),
    "truncated NIfTI": (
        _cut("ct.nii"),
        r"ct\.nii is cut short: it has [\d,]+ bytes of voxels, but its header",
    ),
    "truncated NRRD": (_cut("ct.nrrd"), r"ct\.nrrd is cut short: it has 116,"),
    "truncated MHA": (_cut("ct.mha"), r"ct\.mha is cut short: it has 116,"),
    "wrong checksum": (_flipped_bit, r"bit\.nii\.gz is damaged or cut short \(gzip: CRC check failed"),
    "2-D": (_write("slice.nii.gz", _image(_BLOCK[9])), r"has 2 dimensions \(57 × 45 voxels\), expected 3"),
    "4-D": (
        _write("series.nii.gz", lambda: sitk.JoinSeries([block_image()] * 3)),
        r"has 4 dimensions \(57 × 45 × 34 × 3 voxels\), expected 3; give one volume",
    ),
    "RGB": (
        _write("rgb.nii.gz", _image(np.zeros((4, 5, 6, 3), np.uint8), vector=True)),
        r"has 3 values per voxel \(colour or vector image\), expected one",
    ),
    "empty": (_mha(size="0 45 34"), r"is empty \(0 × 45 × 34 voxels\)"),
    "one slice": (_write("one.nii.gz", _image(_BLOCK[9:10])), r"has 57 × 45 × 1 voxels, expected at least 2"),
    "zero spacing, NIfTI": (
        _nifti_spacing((3, 0, 3)),
        r"has the spacing 3 × 0 × 3 mm, expected three positive",
    ),
    "NaN spacing, NIfTI": (_nifti_spacing((3, 3, float("nan"))), r"has the spacing 3 × 3 × nan mm, expected"),
    "voxels within the header": (
        _nifti_offset(0),
        r"says that its voxels begin at byte 0, expected a whole number of 352 or more; save it again\.",
    ),
    "voxels before the file": (_nifti_offset(-16), r"voxels begin at byte -16, expected"),
    "zero spacing, MHA": (_mha("0 1 1"), r"has the spacing 0 × 1 × 1 mm, expected three positive numbers"),
    "NaN spacing, MHA": (_mha("nan 1 1"), r"has ElementSpacing = nan 1 1, expected 3 numbers"),
    "negative spacing, MHA": (_mha("-1 1 1"), r"has the spacing -1 × 1 × 1 mm, expected three positive"),
    "spacing in metres": (
        _mha("0.001 0.001 0.001"),
        r"has a longest side of 0\.057 mm, expected .* must be in mm",
    ),
    "NaN voxel": (_write("nan.nii.gz", _with(float("nan"))), r"has 1 voxel that is NaN or infinite"),
    "infinite voxels": (
        _write("inf.nii.gz", _with(float("inf"), 1200)),
        r"has 1,200 voxels that are NaN or inf",
    ),
    "not HU": (_write("far.nii.gz", _with(1e6)), r"has values from -1000 to 1e\+06, which cannot be HU"),
    "scaled to 0…1": (
        _write("unit.nii.gz", _image((_BLOCK.astype(np.float32) + 1000) / 2000)),
        r"has values from 0 to 0\.7, so it was scaled and is not in HU",
    ),
}
