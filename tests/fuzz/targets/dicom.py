"""CT series and enhanced CT, in folders and zip archives, against GDCM and positions computed by hand."""

from __future__ import annotations

import tempfile
import warnings
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom import Dataset, uid
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate
from pydicom.tag import BaseTag
from support.dicom import ct_slice, enhanced_ct, set_compressed, set_hu

from efficientscn_trt.io.image import Image
from fuzz import mutation
from fuzz.files import laid_out, packed, unpacked
from fuzz.scans import opened
from fuzz.simple_itk import by_simple_itk

PACKAGES = ("efficientscn_trt.io.dicom", "efficientscn_trt.io")
_SIZE = (7, 5, 4)
_KEYWORDS = [
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "InstanceNumber",
    "NumberOfFrames",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "Rows",
    "Columns",
    "ImageType",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "SamplesPerPixel",
    "PixelData",
    "PhotometricInterpretation",
    "Modality",
    "SOPClassUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "FrameOfReferenceUID",
    "AcquisitionNumber",
    "SpecificCharacterSet",
    "ModalityLUTSequence",
    "PlanePositionSequence",
    "PixelMeasuresSequence",
    "SpacingBetweenSlices",
    "GantryDetectorTilt",
    "StationName",
]
_VALUES = [
    *(b"", b"0", b"1", b"-1", b"16", b"0.5", b"1e400", b"nan", b"1\\2\\3", b"0\\0\\0", b"1\\0\\0\\0\\1\\0"),
    *(b"\0\0", b"\1\0", b"\2\0", b"\x10\0", b"\x0c\0", b"\xff\xff", b"MONOCHROME1", b"RGB", b"CT", b"MR"),
    *(b"LOCALIZER", b"ORIGINAL\\PRIMARY\\AXIAL", b"HU", uid.CTImageStorage.encode(), uid.JPEG2000.encode()),
]


def _scan() -> sitk.Image:
    hu = np.random.default_rng(1).integers(-1000, 1000, _SIZE[::-1]).astype(np.int16)
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((1.5, 2, 3))
    image.SetOrigin((-40, -30, -20))
    return image


def seeds() -> Iterator[bytes]:
    image = _scan()
    hu = sitk.GetArrayFromImage(image)

    def series(change: Any = lambda number, dataset: None, **options: Any) -> bytes:
        files = {}
        for number in range(len(hu)):
            dataset = ct_slice(image, number)
            change(number, dataset)
            files[f"{number}.dcm"] = _saved(dataset, **options)
        return packed(files)

    def compressed(syntax: str, encode: Any) -> Any:
        def change(number: int, dataset: Dataset) -> None:
            set_hu(dataset, hu[number], intercept=-1024, dtype=np.uint16)
            set_compressed(dataset, syntax, encapsulate([encode((hu[number] + 1024).astype(np.uint16))]))

        return change

    def j2k(stored: np.ndarray) -> bytes:
        return bytes(imagecodecs.jpeg2k_encode(stored, level=0, codecformat="j2k"))

    yield series()
    yield series(lambda number, dataset: set_hu(dataset, hu[number], 2, -1024, dtype=np.int16))
    yield series(lambda number, dataset: set_hu(dataset, hu[number], 1, -1024, dtype=np.uint16, bits=12))
    yield series(implicit_vr=True)
    yield series(lambda number, dataset: dataset.compress(uid.RLELossless, encoding_plugin="pydicom"))
    yield series(compressed(uid.JPEGLSLossless, imagecodecs.jpegls_encode))
    yield series(compressed(uid.JPEGLosslessSV1, imagecodecs.ljpeg_encode))
    yield series(compressed(uid.JPEG2000Lossless, j2k))
    yield packed({"enhanced.dcm": _saved(enhanced_ct(image))})


def _saved(dataset: Dataset, implicit_vr: bool = False) -> bytes:
    buffer = BytesIO()
    if implicit_vr:
        dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
    dataset.save_as(buffer, enforce_file_format=True)
    return bytes(buffer.getvalue())


def mutate(data: bytes, random: Random) -> bytes:
    files = unpacked(data)
    if not files or random.random() < 0.03:
        return mutation.raw(data)
    name = random.choice(list(files))
    choice = random.random()
    if choice < 0.1:
        files[name] = mutation.raw(files[name])
    elif choice < 0.14:
        files[name] = mutation.cut(random, files[name])
    elif choice < 0.17:
        files[f"{name}x"] = files.pop(name) if random.random() < 0.5 else files[name]
    elif choice < 0.19:
        del files[name]
    else:
        seed = random.random()
        several = random.random() < 0.4
        for each in files if several else [name]:
            files[each] = _changed(files[each], Random(seed))
    return packed(files)


def _changed(content: bytes, random: Random) -> bytes:
    """One element is another, there or not there."""
    buffer = BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = pydicom.dcmread(BytesIO(content), force=True)
            places = _places(whole)
            place = random.choice([*places, whole, whole.file_meta] if random.random() < 0.3 else places)
            if random.random() < 0.7:
                tag = BaseTag(tag_for_keyword(random.choice(_KEYWORDS)) or 0)
                place = random.choice([each for each in places if tag in each] or [place])
            else:
                tag = random.choice([*place.keys()])
            _put(place, tag, random)
            whole.save_as(buffer)
        return bytes(buffer.getvalue())
    except Exception:  # pydicom cannot write everything
        return mutation.raw(content)


def _places(dataset: Dataset) -> list[Dataset]:
    found = [dataset]
    for element in dataset:
        if element.VR == "SQ":
            found += [each for item in element.value for each in _places(item)]
    return found


def _put(place: Dataset, tag: BaseTag, random: Random) -> None:
    if random.random() < 0.1:
        del place[tag]
        return
    old = place.get_item(tag) if tag in place else None
    raw = (old.value if isinstance(old, RawDataElement) else _encoded(old.value)) if old is not None else b""
    raw = raw or b""
    choice = random.random()
    if choice < 0.3:
        new = random.choice(_VALUES)
    elif choice < 0.6 and raw[:1].isascii() and tag.group != 0x7FE0:
        new = mutation.word(random, raw.decode("latin-1"), ["1", "0", "-1"]).encode("latin-1", "replace")
    elif choice < 0.7:
        new = mutation.cut(random, raw)
    else:
        new = mutation.raw(raw)
    new += b" " * (len(new) % 2)
    vr = (
        old.VR
        if old is not None and random.random() < 0.95
        else random.choice(["US", "DS", "SQ", "UN", "OB"])
    )
    length = len(new)
    place._dict[tag] = RawDataElement(tag, vr, length, new, 0, False, True)


def _encoded(value: Any) -> bytes:
    values = value if isinstance(value, list | pydicom.multival.MultiValue) else [value]
    return value if isinstance(value, bytes) else "\\".join(map(str, values)).encode("latin-1", "replace")


def check(data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="escn-fuzz-") as folder:
        path = Path(folder, "ct.zip")
        files = unpacked(data)
        if files and zlib.crc32(data) % 2:
            path = Path(folder, "series")
            path.mkdir()
            if laid_out(files, path) is None:
                return
        else:
            path.write_bytes(data)
        found = opened(path)
        if found and path.is_dir() and not found[0].warnings:
            _compare(found[0], path)


def _compare(image: Image, folder: Path) -> None:
    """Each slice lies where its position is along the normal, and has GDCM's values."""
    slices = []
    for path in folder.iterdir():
        other, header = by_simple_itk(path), pydicom.dcmread(path, force=True)
        grey = str(header.get("PhotometricInterpretation")) == "MONOCHROME2"  # else GDCM's are odd
        if other is None or not grey or "ImagePositionPatient" not in header:
            return
        slices.append((np.array(header.ImagePositionPatient, float), header, other[0]))
    header = slices[0][1]
    row, column = np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3))
    normal = np.cross(row, column)
    slices.sort(key=lambda each: float(each[0] @ normal))
    hu = np.concatenate([values for *_, values in slices], axis=2)
    np.testing.assert_allclose(image.array.transpose(), hu, rtol=1e-6, atol=1e-3)
    between_rows, between_columns = map(float, header.PixelSpacing)
    step = (slices[-1][0] - slices[0][0]) / (len(slices) - 1)
    axes = np.column_stack([row * between_columns, column * between_rows, step])
    geometry = image.geometry
    ours = np.reshape(geometry.direction, (3, 3)) * geometry.spacing
    np.testing.assert_allclose(ours, axes, atol=2e-2)
    np.testing.assert_allclose(geometry.origin, slices[0][0], atol=1e-2)
