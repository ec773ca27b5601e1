"""Find the DICOM files in a folder, in a zip archive or at a path, and read their headers."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, dcmread

from ...errors import InputError
from ..signatures import HEAD, head_of, is_dicom, is_zip

File = Path | zipfile.Path

_EXTENSIONS = (".dcm", ".dicom", ".ima")


@dataclass(frozen=True, eq=False)
class Instance:
    """One DICOM file, its header (all elements before the pixels), and the byte at which the header ends."""

    file: File
    header: Dataset
    end_of_header: int


@dataclass(frozen=True)
class Found:
    """What a folder holds: instances, files that are damaged, and how many a DICOMDIR lists in vain."""

    instances: list[Instance]
    damaged: list[str]
    missing: int


@contextmanager
def files_at(path: Path) -> Iterator[Sequence[File]]:
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
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if any(info.flag_bits & 1 for info in members):
                raise InputError(f"{path} is encrypted; unpack it, and give the folder.")
            yield [zipfile.Path(archive, info.filename) for info in members]
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise InputError(f"{path} is damaged or cut short ({error}); copy or download it again.") from error


def read_headers(files: Iterable[File]) -> Found:
    """Read the header of each file that is DICOM. Raises InputError if one may not be read."""
    instances, damaged, listed = [], [], set()
    for file in files:
        instance = _read_header(file)
        if isinstance(instance, str):
            damaged.append(file.name)
        elif instance and "DirectoryRecordSequence" in instance.header:  # a DICOMDIR
            listed |= _listed(instance.header)
        elif instance:
            instances.append(instance)
    present = {instance.header.get("SOPInstanceUID", "") for instance in instances}
    return Found(instances, damaged, len(listed - present))


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"The folder {error.filename} cannot be read: {reason}.") from error

    seen = set()
    for where, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        if (place := os.path.realpath(where)) in seen:  # a link to a folder above it, or to another one
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
            if not is_dicom(stream.read(HEAD)):
                hidden = file.name.startswith(".")  # such as the "._" files of macOS
                return "damaged" if file.name.lower().endswith(_EXTENSIONS) and not hidden else None
            stream.seek(0)
            return Instance(file, dcmread(stream, stop_before_pixels=True, force=True), stream.tell())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{file} cannot be read: {reason}.") from error
    except zipfile.BadZipFile:
        raise
    except Exception:  # pydicom raises errors of many kinds
        return "damaged"


def _listed(directory: Dataset) -> set[str]:
    """The SOP instance UIDs of the images that a DICOMDIR lists."""
    records = directory.get("DirectoryRecordSequence") or ()
    return {
        str(record.get("ReferencedSOPInstanceUIDInFile", ""))
        for record in records
        if record.get("DirectoryRecordType", "") == "IMAGE"
    } - {""}
