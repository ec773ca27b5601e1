"""Write numbers of organs as a DICOM structured report that refers to the segments of a SEG.

Source: DICOM PS3.16, TID 1500 (Measurement Report), TID 1411 (Volumetric ROI Measurements)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from highdicom import sr
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import SegmentationStorage, generate_uid

from ...errors import OutputError
from ..segments import Algorithm, Segment
from ..source import DicomSource
from ..wording import excerpt
from .referring import LONGEST, PRODUCT, SR_SERIES, made_by, referred, refusing

_KIND = "DICOM SR"
_MILLILITRE = sr.CodedConcept("ml", "UCUM", "Milliliter")
_STANDARD_DEVIATION = sr.CodedConcept("386136009", "SCT", "Standard Deviation")


@dataclass(frozen=True)
class Measurements:
    """Of one organ: its volume, and the mean and the standard deviation of its HU, None if it has none."""

    ml: float
    mean_hu: float | None = None
    sd_hu: float | None = None


def write_measurements(
    measurements: Mapping[int, Measurements],
    source: DicomSource,
    segments: Sequence[Segment],
    algorithm: Algorithm,
    seg: Path,
    path: Path,
) -> None:
    """Write the measurements of `segments`, by value, to `path`. `seg` is the SEG of the same segments.

    A segment without measurements is left out. Raises OutputError, also if there are none, and OSError.
    """
    images = referred(source, segments, _KIND)
    segmentation = _segmentation(seg, images.headers[0], segments)
    if not measurements:
        raise OutputError("No organ was found, so there is nothing to report in DICOM SR; see the warnings.")
    with refusing(_KIND):
        _report(measurements, images.headers[0], segments, algorithm, segmentation).save_as(path)


def _report(
    measurements: Mapping[int, Measurements],
    image: Dataset,
    segments: Sequence[Segment],
    algorithm: Algorithm,
    segmentation: Dataset,
) -> sr.EnhancedSR:
    observer = sr.ObserverContext(
        codes.DCM.Device,
        sr.DeviceObserverIdentifyingAttributes(
            uid=generate_uid(None), name=PRODUCT, manufacturer_name=PRODUCT, serial_number=algorithm.version
        ),
    )
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[
            _group(number, segment, measurements[segment.value], segmentation, image, algorithm)
            for number, segment in enumerate(segments, 1)
            if segment.value in measurements
        ],
        title=codes.DCM.ImagingMeasurementReport,
    )
    return sr.EnhancedSR(
        evidence=[segmentation],
        content=report,
        is_complete=True,
        is_final=False,
        is_verified=False,
        **made_by(algorithm, SR_SERIES),
    )


def _segmentation(path: Path, image: Dataset, segments: Sequence[Segment]) -> Dataset:
    """The SEG at `path`, if it has these segments of the series of `image`."""
    try:
        found = dcmread(path, stop_before_pixels=True)
        series = {str(each.SeriesInstanceUID) for each in found.ReferencedSeriesSequence}
        labels = [str(each.SegmentLabel) for each in found.SegmentSequence]
        fits = found.SOPClassUID == SegmentationStorage and series == {str(image.SeriesInstanceUID)}
    except Exception as error:  # pydicom raises errors of many kinds
        raise OutputError(f"{path} is no DICOM SEG ({excerpt(str(error))}); write it first.") from error
    if not fits or labels != [segment.name for segment in segments]:
        raise OutputError(f"{path} is no DICOM SEG of this label map; write it first.")
    return found


def _group(
    number: int,
    segment: Segment,
    measured: Measurements,
    segmentation: Dataset,
    image: Dataset,
    algorithm: Algorithm,
) -> sr.VolumetricROIMeasurementsAndQualitativeEvaluations:
    values = [sr.Measurement(codes.SCT.Volume, measured.ml, _MILLILITRE)]
    for derivation, value in ((codes.SCT.Mean, measured.mean_hu), (_STANDARD_DEVIATION, measured.sd_hu)):
        if value is not None:
            unit = codes.UCUM.HounsfieldUnit
            values.append(
                sr.Measurement(codes.DCM.AttenuationCoefficient, value, unit, derivation=derivation)
            )
    kind = segmentation.SegmentSequence[number - 1].SegmentedPropertyTypeCodeSequence[0]
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(None), identifier=segment.name),
        referenced_segment=sr.ReferencedSegment(
            sop_class_uid=segmentation.SOPClassUID,
            sop_instance_uid=segmentation.SOPInstanceUID,
            segment_number=number,
            source_series=sr.SourceSeriesForSegmentation(image.SeriesInstanceUID),
        ),
        finding_type=sr.CodedConcept(kind.CodeValue, kind.CodingSchemeDesignator, kind.CodeMeaning),
        algorithm_id=sr.AlgorithmIdentification(excerpt(algorithm.name, LONGEST), algorithm.version),
        measurements=values,
    )
