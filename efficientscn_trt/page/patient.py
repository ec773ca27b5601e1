"""What a page says of the patient, if it is asked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..errors import InputError, OutputError
from ..io.source import DicomSource, ScanInput
from ..io.wording import displayable, excerpt
from .facts import Facts

_LONGEST = 255  # characters


def _date(value: str) -> str:
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 and value.isdecimal() else value


def _person(value: str) -> str:
    return ", ".join(part for part in map(str.strip, value.split("^")) if part)


#: By what is beside it on the page: an element, and how its value is written.
_ELEMENTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "Name": ("PatientName", _person),
    "Patient ID": ("PatientID", str),
    "Born": ("PatientBirthDate", _date),
    "Sex": ("PatientSex", str),
    "Study date": ("StudyDate", _date),
    "Study": ("StudyDescription", str),
    "Accession number": ("AccessionNumber", str),
    "Series": ("SeriesDescription", str),
    "Series UID": ("SeriesInstanceUID", str),
}


def patient_facts(scan: ScanInput | None, source: DicomSource | None) -> Facts:
    """The path of the scan, and what the first file of its DICOM series says of the patient and the study.

    Raises OutputError if that file is gone, or is another one now.
    """
    facts = _elements(source) if source else []
    if scan and scan.path:
        facts.append(("File or folder", excerpt(displayable(scan.path), 4 * _LONGEST)))
    return facts


def _elements(source: DicomSource) -> Facts:
    from ..io.dicom.elements import text
    from ..io.dicom.source import instances_of

    try:
        (first,) = instances_of(replace(source, frames=source.frames[:1]))
    except InputError as error:
        raise OutputError(f"The page cannot name the patient, because {error}") from error
    header = first.header
    found = {
        title: write(excerpt(text(header, keyword), _LONGEST))
        for title, (keyword, write) in _ELEMENTS.items()
    }
    return [(title, value) for title, value in found.items() if value]
