"""Write a label map as DICOM SEG, which refers to the slices of the series that was segmented.

Source: DICOM PS3.3, A.51 (Segmentation IOD) and C.8.20; PS3.16, CID 7150, 7140 and 244
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from highdicom.sr.coding import CodedConcept
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid
from pydicom.valuerep import DSfloat

from ...errors import InputError, OutputError
from ..orientation import Geometry
from ..segments import Algorithm, Concept, Segment
from ..source import DicomSource
from ..wording import excerpt, listed
from .elements import items, numbers
from .source import headers_of

_PRODUCT = "efficientscn-trt"
_SERIES_NUMBER = 9000  # behind those of the scanner
_STRUCTURE, _TISSUE = Concept("123037004", "Anatomical Structure"), Concept("85756007", "Tissue")
_LONGEST = 64  # characters of a label, PS3.5, 6.2

_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "FrameOfReferenceUID")
#: What a series must have, though it may be empty (type 2 in PS3.3).
_MAY_BE_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)


def write_segmentation(
    labels: np.ndarray,
    geometry: Geometry,
    source: DicomSource,
    segments: Sequence[Segment],
    algorithm: Algorithm,
    path: Path,
) -> None:
    """Write `labels`, uint8 [z, y, x] in the order of the source's slices, to `path` as BINARY segments.

    Raises OutputError where the series cannot be referred to, and OSError.
    """
    if source.resampled:
        raise OutputError(
            "The slices of the series lean (a tilted gantry), so the label map has others, and DICOM SEG "
            "cannot refer to those of the series; write another format, such as .nii.gz."
        )
    try:
        images = [_completed(header) for header in headers_of(source)]
    except InputError as error:
        raise OutputError(str(error)) from error
    if len({str(image.FrameOfReferenceUID) for image in images}) > 1:
        raise OutputError(
            "The slices of the series are in several frames of reference, but DICOM SEG has one; write "
            "another format, such as .nii.gz."
        )
    frames = _by_frame(labels, source, images)
    for number, segment in enumerate(segments, 1):  # numbered from 1 without gaps
        frames[frames == segment.value] = number
    names = "".join((*(segment.name for segment in segments), algorithm.name))
    options: dict[str, Any] = {} if names.isascii() else {"specific_character_set": "ISO_IR 192"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old elements in the series
        try:
            seg = highdicom.seg.Segmentation(
                source_images=images,
                pixel_array=frames,
                segmentation_type=SegmentationTypeValues.BINARY,
                segment_descriptions=[
                    _description(number, segment, algorithm) for number, segment in enumerate(segments, 1)
                ],
                series_instance_uid=generate_uid(None),
                series_number=_SERIES_NUMBER,
                sop_instance_uid=generate_uid(None),
                instance_number=1,
                pixel_measures=_measures(geometry, images),
                omit_empty_frames=bool(frames.any()),  # it needs at least one
                manufacturer=_PRODUCT,
                manufacturer_model_name=_PRODUCT,
                software_versions=version(_PRODUCT),
                device_serial_number=algorithm.version,
                content_label="ORGANS",
                content_description="Organs by EfficientSCN",
                series_description="Organs by EfficientSCN",
                **options,
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise OutputError(
                f"DICOM SEG cannot refer to the series: {excerpt(str(error))}; write another format, such as "
                ".nii.gz."
            ) from error
        seg.save_as(path)


def _measures(geometry: Geometry, images: Sequence[Dataset]) -> highdicom.PixelMeasuresSequence:
    """The spacings, and the thickness of a slice. Images that do not say it get their distance for it."""
    columns, rows, slices = geometry.spacing
    places = [place for image in images for place in _with_measures(image)]
    for place in places:
        thickness = numbers(place, "SliceThickness", 1)
        if thickness is None or thickness[0] <= 0:
            place.SliceThickness = DSfloat(slices, auto_format=True)
    return highdicom.PixelMeasuresSequence((rows, columns), float(places[0].SliceThickness), slices)


def _with_measures(image: Dataset) -> list[Dataset]:
    """Where an image says its spacing: in functional groups if it has several frames, else at its top."""
    groups = [
        *items(image, "SharedFunctionalGroupsSequence"),
        *items(image, "PerFrameFunctionalGroupsSequence"),
    ]
    return [measures for group in groups for measures in items(group, "PixelMeasuresSequence")] or [image]


def _completed(header: Dataset) -> Dataset:
    lacking = [keyword for keyword in _NEEDED if not str(header.get(keyword) or "")]
    if lacking:
        raise OutputError(
            f"The series lacks the {listed(lacking)} to which DICOM SEG must refer; export it from the "
            "archive again, or write another format, such as .nii.gz."
        )
    for keyword in _MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, "")
    return header


def _by_frame(labels: np.ndarray, source: DicomSource, images: Sequence[Dataset]) -> np.ndarray:
    """A copy of `labels` in the order of the frames of `images`."""
    if "PerFrameFunctionalGroupsSequence" not in images[0]:
        return labels.copy()
    if len(images) > 1:
        raise OutputError(
            f"The series has {len(images)} multi-frame files, but DICOM SEG can refer to one; write another "
            "format, such as .nii.gz."
        )
    frames = np.zeros((int(images[0].NumberOfFrames), *labels.shape[1:]), labels.dtype)
    frames[[frame.index for frame in source.frames]] = labels
    return frames


def _description(number: int, segment: Segment, algorithm: Algorithm) -> SegmentDescription:
    if len(segment.name) > _LONGEST or "\\" in segment.name:
        raise OutputError(
            f"The label {excerpt(segment.name)} cannot be one in DICOM, expected at most {_LONGEST} "
            "characters without a backslash; write another format, such as .nii.gz."
        )
    name = excerpt(algorithm.name, _LONGEST).replace("\\", "/")
    description = SegmentDescription(
        number,
        segment.name,
        _coded(_STRUCTURE if segment.concept else _TISSUE),
        _coded(segment.concept or _TISSUE),
        SegmentAlgorithmTypeValues.AUTOMATIC,
        highdicom.AlgorithmIdentificationSequence(
            name, codes.DCM.ArtificialIntelligence, algorithm.version, _PRODUCT
        ),
        display_color=CIELabColor.from_rgb(*segment.rgb),
    )
    if segment.side:
        (kind,) = description.SegmentedPropertyTypeCodeSequence
        kind.SegmentedPropertyTypeModifierCodeSequence = [_coded(segment.side)]
    return description


def _coded(concept: Concept) -> CodedConcept:
    return CodedConcept(concept.code, "SCT", concept.meaning)
