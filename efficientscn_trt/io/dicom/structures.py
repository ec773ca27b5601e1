"""Write a label map as DICOM RTSTRUCT: contours on the slices of the series that was segmented.

Source: DICOM PS3.3, A.19 (RT Structure Set IOD), C.8.8.5, C.8.8.6 and C.8.8.8
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from ...errors import OutputError
from ..segments import TISSUE, Algorithm, Concept, Segment
from ..source import DicomSource
from ..wording import excerpt
from .contours import outlines
from .frames import Frame
from .referring import (
    DESCRIPTION,
    LONGEST,
    PRODUCT,
    RTSTRUCT_SERIES,
    Referred,
    character_set,
    referred,
    refusing,
)

_KIND = "RTSTRUCT"
_DIGITS = 3  # of a position in mm
_STUDY = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management: retired, but usual here
#: What is taken over from the series. Those of the patient and the study may be empty.
_PATIENT_AND_STUDY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate"),
    *("StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID"),
)


def write_structures(
    labels: np.ndarray, source: DicomSource, segments: Sequence[Segment], algorithm: Algorithm, path: Path
) -> None:
    """Write the outlines of `labels`, uint8 [z, y, x] in the order of the source's slices, to `path`.

    Raises OutputError where the series cannot be referred to, and OSError.
    """
    images = referred(source, segments, _KIND)
    with refusing(_KIND):
        _structures(labels, images, segments, algorithm).save_as(path, enforce_file_format=True)


def _structures(
    labels: np.ndarray, images: Referred, segments: Sequence[Segment], algorithm: Algorithm
) -> FileDataset:
    first, now = images.headers[0], datetime.now()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTStructureSetStorage, generate_uid(None)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    if found := character_set(first, segments, algorithm):
        dataset.SpecificCharacterSet = found
    for keyword in _PATIENT_AND_STUDY:
        setattr(dataset, keyword, first[keyword].value)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.SeriesInstanceUID = "RTSTRUCT", generate_uid(None)
    dataset.SeriesNumber, dataset.SeriesDescription = RTSTRUCT_SERIES, DESCRIPTION
    dataset.InstanceNumber, dataset.OperatorsName, dataset.PositionReferenceIndicator = 1, "", ""
    dataset.Manufacturer = dataset.ManufacturerModelName = PRODUCT
    dataset.SoftwareVersions, dataset.DeviceSerialNumber = version(PRODUCT), algorithm.version
    dataset.InstanceCreationDate = dataset.StructureSetDate = now.strftime("%Y%m%d")
    dataset.InstanceCreationTime = dataset.StructureSetTime = now.strftime("%H%M%S")
    dataset.StructureSetLabel = "ORGANS"
    dataset.StructureSetDescription = excerpt(f"{DESCRIPTION}, {algorithm.name} {algorithm.version}", LONGEST)
    dataset.ApprovalStatus = "UNAPPROVED"
    dataset.ReferencedFrameOfReferenceSequence = [_frame_of_reference(images)]
    dataset.StructureSetROISequence = []
    dataset.ROIContourSequence = []
    dataset.RTROIObservationsSequence = []
    for number, segment in enumerate(segments, 1):
        dataset.StructureSetROISequence.append(_roi(number, segment, first, algorithm))
        dataset.ROIContourSequence.append(_contours(number, segment, labels, images.frames))
        dataset.RTROIObservationsSequence.append(_observation(number, segment))
    return dataset


def _frame_of_reference(images: Referred) -> Dataset:
    first = images.headers[0]
    reference, study, series = Dataset(), Dataset(), Dataset()
    reference.FrameOfReferenceUID = first.FrameOfReferenceUID
    study.ReferencedSOPClassUID = _STUDY
    study.ReferencedSOPInstanceUID = first.StudyInstanceUID
    series.SeriesInstanceUID = first.SeriesInstanceUID
    series.ContourImageSequence = [_image(header) for header in images.headers]
    study.RTReferencedSeriesSequence = [series]
    reference.RTReferencedStudySequence = [study]
    return reference


def _image(header: Dataset) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    return image


def _roi(number: int, segment: Segment, first: Dataset, algorithm: Algorithm) -> Dataset:
    roi = Dataset()
    roi.ROINumber, roi.ROIName = number, segment.name
    roi.ReferencedFrameOfReferenceUID = first.FrameOfReferenceUID
    roi.ROIGenerationAlgorithm = "AUTOMATIC"
    roi.ROIGenerationDescription = excerpt(f"{algorithm.name} {algorithm.version}", LONGEST).replace(
        "\\", "/"
    )
    return roi


def _contours(number: int, segment: Segment, labels: np.ndarray, frames: Sequence[Frame]) -> Dataset:
    roi = Dataset()
    roi.ReferencedROINumber, roi.ROIDisplayColor = number, list(segment.rgb)
    contours = [
        _contour(outline, frame)
        for plane, frame in zip(labels, frames, strict=True)
        for outline in outlines(plane == segment.value)
    ]
    if contours:
        roi.ContourSequence = contours
    return roi


def _contour(outline: np.ndarray, frame: Frame) -> Dataset:
    contour = Dataset()
    image = _image(frame.instance.header)
    if "PerFrameFunctionalGroupsSequence" in frame.instance.header:
        image.ReferencedFrameNumber = frame.index + 1
    contour.ContourImageSequence = [image]
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(outline)
    contour.ContourData = [f"{value:.{_DIGITS}f}" for value in _in_mm(outline, frame).ravel()]
    return contour


def _in_mm(outline: np.ndarray, frame: Frame) -> np.ndarray:
    """[point, (x, y, z)] in the coordinates of the patient."""
    if frame.position is None or frame.orientation is None or frame.spacing is None:
        raise OutputError(f"{frame.instance.file} changed after the scan was read; segment the series again.")
    between_rows, between_columns = frame.spacing
    along_row, along_column = frame.orientation[:3], frame.orientation[3:]
    x, y = outline[:, :1], outline[:, 1:]
    return np.asarray(frame.position + x * between_columns * along_row + y * between_rows * along_column)


def _observation(number: int, segment: Segment) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = number
    observation.RTROIInterpretedType, observation.ROIInterpreter = "ORGAN", ""
    if segment.type != TISSUE:
        observation.RTROIIdentificationCodeSequence = [_code(segment.type)]
    return observation


def _code(concept: Concept) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = concept.code, concept.scheme
    code.CodeMeaning = concept.meaning
    return code
