"""Find the DICOM files in a folder, in a zip archive or at a path, and read their headers."""

from __future__ import annotations

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.tag import Tag

from ...errors import InputError
from ..signatures import HEAD, head_of, is_dicom, is_zip
from ..streams import DENSEST
from ..wording import system_reason
from .archives import Member, opened_archive
from .deflated import Deflated, is_deflated
from .directory import listed_images
from .elements import text

_EXTENSIONS = (".dcm", ".dicom", ".ima")

_MOST_OF_AN_ELEMENT = 64 << 20  # bytes; longer ones count as malformed

#: The elements that are kept of each header. Others may be large, such as a scanner's raw data.
_ELEMENTS = [
    Tag(keyword)
    for keyword in (
        "AcquisitionNumber",
        "BitsAllocated",
        "BitsStored",
        "Columns",
        "ConcatenationUID",
        "DirectoryRecordSequence",
        "FrameOfReferenceUID",
        "HighBit",
        "ImageOrientationPatient",
        "ImagePositionPatient",
        "ImageType",
        "InConcatenationTotalNumber",
        "Modality",
        "ModalityLUTSequence",
        "NumberOfFrames",
        "PatientID",
        "PerFrameFunctionalGroupsSequence",
        "PhotometricInterpretation",
        "PixelRepresentation",
        "PixelSpacing",
        "RescaleIntercept",
        "RescaleSlope",
        "RescaleType",
        "Rows",
        "SOPClassUID",
        "SOPInstanceUID",
        "SamplesPerPixel",
        "SeriesDescription",
        "SeriesInstanceUID",
        "SharedFunctionalGroupsSequence",
        "SpecificCharacterSet",
        "StudyInstanceUID",
    )
]


File = Path | Member | Deflated


@dataclass(frozen=True, eq=False)
class Instance:
    """One DICOM file, its header (what is needed of it), and the byte at which the pixels begin."""

    file: File
    header: Dataset
    end_of_header: int


@dataclass(frozen=True)
class Found:
    """What a folder holds: instances, files that should be DICOM but cannot be read, and how many images of
    each series a DICOMDIR lists that are not there.
    """

    instances: list[Instance]
    damaged: list[File]
    missing: Counter[str]


@contextmanager
def files_at(path: Path) -> Iterator[Iterable[File]]:
    """All regular files in a folder and its subfolders, or in a zip archive; else `path` itself.

    A DICOMDIR counts as the folder that it is in. Raises InputError.
    """
    if path.name.upper() == "DICOMDIR" and not path.is_dir():
        path = path.parent
    if path.is_dir():
        yield sorted(_walk(path))
        return
    if not is_zip(head_of(path)):
        yield [path]
        return
    with opened_archive(path) as archive:
        yield [Member(archive, info) for info in archive.infolist() if not info.is_dir()]


def read_headers(files: Iterable[File]) -> Found:
    """Read the header of each file that is DICOM."""
    instances, damaged = list[Instance](), list[File]()
    listed: dict[str, str] = {}
    for file in files:
        instance = _read_header(file)
        if isinstance(instance, str):
            damaged.append(file)
        elif instance and "DirectoryRecordSequence" in instance.header:  # a DICOMDIR
            listed |= listed_images(instance.header)
        elif instance:
            instances.append(instance)
    present = {text(instance.header, "SOPInstanceUID") for instance in instances if listed}
    missing = Counter(series for uid, series in listed.items() if uid not in present)
    return Found(instances, damaged, missing)


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise InputError(
            f"The folder {error.filename} cannot be read: {system_reason(error)}; ask its owner for the "
            "right to read it."
        ) from error

    top = Path(os.path.realpath(folder))
    seen = set()
    for where, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        place = Path(os.path.realpath(where))
        if place in seen or place in top.parents:  # a link that leads back
            folders.clear()
            continue
        seen.add(place)
        for name in names:
            file = Path(where, name)
            try:
                regular = stat.S_ISREG(file.stat().st_mode)
            except OSError:  # such as a broken link
                continue
            if regular:
                yield file


def _read_header(file: File) -> Instance | str | None:
    """The instance; None if `file` is no DICOM; "damaged" if it should be DICOM, but cannot be read."""
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD)
            if not is_dicom(head):
                hidden = file.name.startswith(".")  # such as the "._" files of macOS
                return "damaged" if file.name.lower().endswith(_EXTENSIONS) and not hidden else None
            if is_deflated(head) and not isinstance(file, Deflated):
                return _read_header(Deflated(file))
            stream.seek(0)
            header = dcmread(
                stream, _MOST_OF_AN_ELEMENT, stop_before_pixels=True, force=True, specific_tags=_ELEMENTS
            )
            return Instance(file, header, stream.tell())
    except (InputError, MemoryError, zipfile.BadZipFile):
        raise
    except Exception:  # pydicom raises errors of many kinds
        return "damaged"


def with_whole_header(file: File) -> Instance | None:
    """A file with all elements before its pixels. None if it cannot be read."""
    try:
        with file.open("rb") as stream:
            if is_deflated(stream.read(HEAD)) and not isinstance(file, Deflated):
                return with_whole_header(Deflated(file))
            stream.seek(0)
            return Instance(file, dcmread(stream, stop_before_pixels=True, force=True), stream.tell())
    except (MemoryError, zipfile.BadZipFile):
        raise
    except Exception:  # pydicom raises errors of many kinds
        return None


def bytes_at_hand(file: File) -> int:
    """The bytes of a file, or the most that a deflated one can stand for."""
    if isinstance(file, Deflated):
        return int(bytes_at_hand(file.file) * DENSEST["zlib"])
    return file.info.file_size if isinstance(file, Member) else file.stat().st_size
