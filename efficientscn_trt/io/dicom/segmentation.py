"""Write a label map as DICOM SEG, which refers to the slices of the series that was segmented.

Source: DICOM PS3.3, A.51 (Segmentation IOD) and C.8.20; PS3.16, CID 7150, 7140 and 244
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import highdicom
import numpy as np
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from highdicom.sr.coding import CodedConcept
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import DSfloat

from ...errors import OutputError
from ..orientation import Geometry
from ..segments import Algorithm, Concept, Segment
from ..source import DicomSource
from ..wording import excerpt
from .elements import items, numbers
from .referring import (
    DESCRIPTION,
    LONGEST,
    PRODUCT,
    SEG_SERIES,
    Referred,
    character_set,
    made_by,
    referred,
    refusing,
)

_KIND = "DICOM SEG"


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
    images = referred(source, segments, _KIND)
    numbered = np.zeros(256, np.uint8)  # from 1 without gaps
    for number, segment in enumerate(segments, 1):
        numbered[segment.value] = number
    frames = _by_frame(numbered[labels], images)
    with refusing(_KIND):
        seg = highdicom.seg.Segmentation(
            source_images=images.headers,
            pixel_array=frames,
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=[
                _description(number, segment, algorithm) for number, segment in enumerate(segments, 1)
            ],
            pixel_measures=_measures(geometry, images.headers),
            omit_empty_frames=bool(frames.any()),  # it needs at least one
            content_label="ORGANS",
            content_description=DESCRIPTION,
            specific_character_set=character_set(images.headers[0], segments, algorithm) or None,
            **made_by(algorithm, SEG_SERIES),
        )
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


def _by_frame(labels: np.ndarray, images: Referred) -> np.ndarray:
    """`labels` in the order of the frames of `images`."""
    if not images.multi_frame:
        return labels
    if len(images.headers) > 1:
        raise OutputError(
            f"The series has {len(images.headers)} multi-frame files, but DICOM SEG can refer to one; write "
            "another format, such as .nii.gz."
        )
    frames = np.zeros((int(images.headers[0].NumberOfFrames), *labels.shape[1:]), labels.dtype)
    frames[[frame.index for frame in images.frames]] = labels
    return frames


def _description(number: int, segment: Segment, algorithm: Algorithm) -> SegmentDescription:
    name = excerpt(algorithm.name, LONGEST).replace("\\", "/")
    description = SegmentDescription(
        number,
        segment.name,
        _coded(segment.category),
        _coded(segment.type),
        SegmentAlgorithmTypeValues.AUTOMATIC,
        highdicom.AlgorithmIdentificationSequence(
            name, codes.DCM.ArtificialIntelligence, algorithm.version, PRODUCT
        ),
        display_color=CIELabColor.from_rgb(*segment.rgb),
    )
    if segment.modifier:
        (kind,) = description.SegmentedPropertyTypeCodeSequence
        kind.SegmentedPropertyTypeModifierCodeSequence = [_coded(segment.modifier)]
    return description


def _coded(concept: Concept) -> CodedConcept:
    return CodedConcept(concept.code, concept.scheme, concept.meaning)
