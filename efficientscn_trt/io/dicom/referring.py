"""The images of a series, so that what is written in DICOM can refer to them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from pydicom import Dataset
from pydicom.uid import generate_uid

from ...errors import EfficientSCNError, InputError, OutputError
from ..segments import Algorithm, Segment
from ..source import DicomSource
from ..wording import excerpt, listed
from .elements import text
from .frames import Frame, frames_of
from .source import instances_of

PRODUCT = "efficientscn-trt"
DESCRIPTION = "Organs by EfficientSCN"
SEG_SERIES, RTSTRUCT_SERIES, SR_SERIES = 9000, 9001, 9002  # numbers behind those of the scanner
LONGEST = 64  # characters of a label, PS3.5, 6.2

_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "FrameOfReferenceUID")
#: What a series must have, though it may be empty (type 2 in PS3.3).
_MAY_BE_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)

#: PS3.3, C.12.1.1.2, without code extensions
_CHARACTER_SETS = {
    f"ISO_IR {number}" for number in (100, 101, 109, 110, 144, 127, 126, 138, 148, 13, 166, 192)
}
_UTF_8 = "ISO_IR 192"


@dataclass(frozen=True)
class Referred:
    """The header of each file of a series, in the order of its first slice, and the frame of each slice."""

    headers: list[Dataset]
    frames: list[Frame]

    @property
    def multi_frame(self) -> bool:
        """Whether a file has several frames, or could have."""
        return "PerFrameFunctionalGroupsSequence" in self.headers[0]


def referred(source: DicomSource, segments: Sequence[Segment], kind: str) -> Referred:
    """The images of `source`, to which a `kind` of DICOM object (its name) with `segments` will refer.

    Elements that may be empty are added. Raises OutputError where it cannot refer to them, or for a segment
    whose name cannot be one in DICOM.
    """
    for segment in segments:
        if len(segment.name) > LONGEST or "\\" in segment.name:
            raise OutputError(
                f"The label {excerpt(segment.name)} cannot be one in DICOM, expected at most {LONGEST} "
                "characters without a backslash; write another format, such as .nii.gz."
            )
    if source.resampled:
        raise OutputError(
            f"The slices of the series lean (a tilted gantry), so the label map has others, and {kind} "
            "cannot refer to those of the series; write another format, such as .nii.gz."
        )
    try:
        instances = instances_of(source)
        found = [frames_of(instance) for instance in instances]
    except InputError as error:
        raise OutputError(str(error)) from error
    headers = [instance.header for instance in instances]
    for header in headers:
        _complete(header, kind)
    if len({text(header, "FrameOfReferenceUID") for header in headers}) > 1:
        raise OutputError(
            f"The slices of the series are in several frames of reference, but {kind} has one; write another "
            "format, such as .nii.gz."
        )
    files = dict.fromkeys((frame.path, frame.member) for frame in source.frames)
    own = dict(zip(files, found, strict=True))
    with refusing(kind):
        return Referred(headers, [own[frame.path, frame.member][frame.index] for frame in source.frames])


def _complete(header: Dataset, kind: str) -> None:
    lacking = [keyword for keyword in _NEEDED if not text(header, keyword)]
    if lacking:
        raise OutputError(
            f"The series lacks the {listed(lacking)} to which {kind} must refer; export it from the archive "
            "again, or write another format, such as .nii.gz."
        )
    for keyword in _MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, "")


def character_set(header: Dataset, segments: Sequence[Segment], algorithm: Algorithm) -> str:
    """The Specific Character Set for an object with texts of a series and with these names; "" for ASCII.

    It is that of the series where that is a single one which writers know, and holds the names; else UTF-8.
    """
    concepts = (each for segment in segments for each in (segment.category, segment.type, segment.modifier))
    meanings = (concept.meaning for concept in concepts if concept)
    names = "".join((*(segment.name for segment in segments), *meanings, algorithm.name))
    found = header.get("SpecificCharacterSet") or ""
    known = isinstance(found, str) and (not found or found in _CHARACTER_SETS)
    return str(found) if known and names.isascii() else _UTF_8


def made_by(algorithm: Algorithm, series_number: int) -> dict[str, Any]:
    """What highdicom writes of a new series of one object, and of what made it."""
    return {
        "series_instance_uid": generate_uid(None),
        "series_number": series_number,
        "series_description": DESCRIPTION,
        "sop_instance_uid": generate_uid(None),
        "instance_number": 1,
        "manufacturer": PRODUCT,
        "manufacturer_model_name": PRODUCT,
        "software_versions": version(PRODUCT),
        "device_serial_number": algorithm.version,
    }


@contextmanager
def refusing(kind: str) -> Iterator[None]:
    """Raise OutputError where a library cannot write a `kind` of DICOM object for the series.

    Warnings of old elements in the series are ignored.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (EfficientSCNError, OSError, MemoryError):
        raise
    except Exception as error:  # pydicom and highdicom raise errors of many kinds
        raise OutputError(
            f"{kind} cannot be written for the series: {excerpt(str(error))}; write another format, such as "
            ".nii.gz."
        ) from error
