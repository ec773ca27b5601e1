"""Write volumes as DICOM, a file per slice or enhanced multi-frame CT, and check what is read of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import SimpleITK as sitk
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import UID, CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian

from efficientscn_trt.io.image import Image
from efficientscn_trt.io.reading import read

from .scans import block_array, block_image

#: pydicom's own sample files.
SAMPLES = Path(pydicom.data.__file__).parent / "test_files"

_STUDY = "1.2.826.0.1.3680043.2.1125.9"

Change = Callable[[int, Dataset], object]


def set_hu(dataset: Dataset, hu: np.ndarray, slope: float = 1, intercept: float = 0, **storage: Any) -> None:
    """Store `hu` with a rescale slope and intercept. `storage` is that of `set_pixels`."""
    stored = (np.asarray(hu) - intercept) / slope
    set_pixels(dataset, np.rint(stored).astype(storage.pop("dtype", np.int16)), **storage)
    dataset.RescaleSlope, dataset.RescaleIntercept = str(slope), str(intercept)


def set_pixels(dataset: Dataset, stored: np.ndarray, bits: int = 0) -> None:
    """Store whole numbers [row, column] or [frame, row, column], uncompressed, `bits` of each (0: all)."""
    allocated = 8 * stored.dtype.itemsize
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored = allocated, bits or allocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    data = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW"


def set_compressed(dataset: Dataset, syntax: str, data: bytes) -> None:
    """Replace the pixels by compressed ones, which are already encapsulated."""
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.PixelData = data
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def write_disk(folder: Path, *images: sitk.Image) -> Path:
    """Write a study as on a disk for patients, by pydicom, each image as a series. Returns the DICOMDIR."""
    study = FileSet()
    for series, image in enumerate(images, 1):
        for number in range(image.GetDepth()):
            dataset = ct_slice(image, number, series=series)
            dataset.PatientID, dataset.PatientName = "1", "Nobody"
            dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20200101", "120000", "1"
            study.add(dataset)
    study.write(folder)
    return folder / "DICOMDIR"


def complete(dataset: Dataset) -> None:
    """Add what a scanner writes beside an image, and what a segmentation refers to."""
    dataset.FrameOfReferenceUID = f"{_STUDY}.77"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Nobody^Jane", "17", "19500101"
    dataset.PatientSex, dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "F", "20200101", "120000", "5"
    dataset.AccessionNumber, dataset.ReferringPhysicianName = "A1", "Somebody^A"


def read_series(folder: Path, image: sitk.Image, change: Change = lambda number, dataset: None) -> Image:
    """Write the slices of `image`, complete and then changed, as `write_series` does, and read them."""

    def completed(number: int, dataset: Dataset) -> None:
        complete(dataset)
        change(number, dataset)

    write_series(image, folder, change=completed)
    return read(folder)


def read_enhanced(path: Path) -> tuple[Image, Dataset]:
    """Write `block_image` as enhanced CT with its frames in a random order, and read it."""
    order = np.random.default_rng(4).permutation(block_image().GetDepth()).tolist()
    dataset = enhanced_ct(block_image(), order)
    complete(dataset)
    dataset.save_as(path)
    return read(path), dataset


def turned(direction: tuple[float, ...]) -> sitk.Image:
    """`block_image` along other axes."""
    image = block_image()
    image.SetDirection(direction)
    return image


def only(number: int, spoil: Callable[[Dataset], object]) -> Change:
    """A change of one slice of a series."""
    return lambda index, dataset: spoil(dataset) if index == number else None


def ct_slice(image: sitk.Image, number: int, description: str = "", series: int = 1) -> Dataset:
    """Slice `number` of a volume in HU, as a CT image of one frame."""
    dataset = _dataset(CTImageStorage, f"{_STUDY}.{series}.{number + 1}", description, series)
    dataset.InstanceNumber = number + 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.ImagePositionPatient = position(image, number)
    dataset.ImageOrientationPatient = orientation(image)
    dataset.PixelSpacing = [image.GetSpacing()[1], image.GetSpacing()[0]]
    set_hu(dataset, sitk.GetArrayViewFromImage(image)[number])
    return dataset


def write_series(
    image: sitk.Image,
    folder: Path,
    description: str = "",
    series: int = 1,
    change: Change = lambda number, dataset: None,
) -> None:
    """Write the slices of `image` as `<series>-<number>.dcm`, numbered from 000.

    `change` is called with each slice's number and dataset, and may change the dataset.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(image.GetDepth()):
        dataset = ct_slice(image, number, description, series)
        change(number, dataset)
        dataset.save_as(folder / f"{series}-{number:03d}.dcm")


def enhanced_ct(
    image: sitk.Image, order: Sequence[int] | None = None, change: Change = lambda number, group: None
) -> Dataset:
    """`image` as one enhanced CT whose frames are its slices in `order` (default: as they are).

    `change` is called with each frame's slice number and functional groups, and may change the groups.
    """
    order = range(image.GetDepth()) if order is None else order
    dataset = _dataset(EnhancedCTImageStorage, f"{_STUDY}.1.1", "", 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    dataset.NumberOfFrames = len(order)
    measures, plane = Dataset(), Dataset()
    measures.PixelSpacing = [image.GetSpacing()[1], image.GetSpacing()[0]]
    plane.ImageOrientationPatient = orientation(image)
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = []
    for number in order:
        place, rescale, group = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = position(image, number)
        rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = "1", "0", "HU"
        group.PlanePositionSequence, group.PixelValueTransformationSequence = [place], [rescale]
        change(number, group)
        dataset.PerFrameFunctionalGroupsSequence.append(group)
    set_pixels(dataset, sitk.GetArrayViewFromImage(image)[list(order)])
    return dataset


def position(image: sitk.Image, number: int) -> list[str]:
    """Where slice `number` begins, as in a file."""
    return [f"{value:.6f}" for value in image.TransformIndexToPhysicalPoint((0, 0, number))]


def orientation(image: sitk.Image) -> list[str]:
    """The directions of rows and columns, as in a file."""
    direction = image.GetDirection()
    return [f"{direction[i]:.8f}" for i in (0, 3, 6, 1, 4, 7)]


def _dataset(kind: str, uid: str, description: str, series: int) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(kind), UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = Dataset()
    dataset.file_meta, dataset.preamble = meta, b"\0" * 128
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = kind, uid, "CT"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _STUDY, f"{_STUDY}.{series}"
    dataset.SeriesNumber, dataset.SeriesDescription = series, description
    return dataset


def check(scan: Image, *codes: str) -> list[str]:
    """Check that `scan` is `block_image` with warnings of these codes. Returns their sentences."""
    np.testing.assert_array_equal(scan.array, block_array())
    assert [warning.code for warning in scan.warnings] == list(codes)
    return [warning.message for warning in scan.warnings]
