"""The images of a series, so that what is written in DICOM can refer to them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydicom import Dataset

from ...errors import EfficientSCNError, InputError, OutputError
from ..source import DicomSource
from ..wording import excerpt, listed
from .elements import text
from .frames import Frame, frames_of
from .source import instances_of

PRODUCT = "efficientscn-trt"
DESCRIPTION = "Organs by EfficientSCN"
SERIES_NUMBER = 9000  # behind those of the scanner
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


def referred(source: DicomSource, kind: str) -> Referred:
    """The images of `source`, to which a `kind` of DICOM object (its name) will refer.

    Elements that may be empty are added. Raises OutputError where it cannot refer to them.
    """
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


def character_set(header: Dataset, names: Iterable[str]) -> str:
    """The Specific Character Set for an object with texts of a series and with `names`; "" if ASCII will do.

    It is that of the series where that is a single one which writers know, and holds the names; else UTF-8.
    """
    found = header.get("SpecificCharacterSet") or ""
    known = isinstance(found, str) and (not found or found in _CHARACTER_SETS)
    return str(found) if known and "".join(names).isascii() else _UTF_8


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


def check_names(names: Sequence[str]) -> None:
    """Raises OutputError for a label that cannot be one in DICOM."""
    for name in names:
        if len(name) > LONGEST or "\\" in name:
            raise OutputError(
                f"The label {excerpt(name)} cannot be one in DICOM, expected at most {LONGEST} characters "
                "without a backslash; write another format, such as .nii.gz."
            )
